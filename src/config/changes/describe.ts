import type { ConfigSource, SettingsChanges } from '../../model/reload.ts';
import { hasChanges } from './diff.ts';

/** Most names in one line: of more the number is said. */
const MOST = 20;

/** What a reload changed, in one line, or that it changed nothing; with the file and its time. */
export function describeReload(changes: SettingsChanges, source: ConfigSource, services: number): string {
  const what = hasChanges(changes) ? partsOf(changes).join('; ') : 'nothing changed';
  const restart = changes.needRestart.length === 0 ? '' : `; takes a restart: ${changes.needRestart.join(', ')}`;
  const count = `${services} ${services === 1 ? 'service' : 'services'}`;
  return `configuration reloaded (${count}): ${what}${restart}; ${describeSource(source)}`;
}

/** Why a configuration is not taken over, in one line: of several problems the first one. */
export function describeRefusal(problems: readonly string[], source: ConfigSource): string {
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return `not reloaded, nothing changed: ${problems[0]}${more}; ${describeSource(source)}`;
}

/** What only takes effect after a restart, in one line. */
export function describeRestart({ needRestart }: SettingsChanges): string {
  return `takes a restart to change: ${needRestart.join(', ')}`;
}

/** `/etc/pilotlight/config.yaml of 2026-05-01T10:00:00.000Z`. */
function describeSource({ file, modified }: ConfigSource): string {
  return modified === null ? file : `${file} of ${modified}`;
}

/** The same as flat fields: lists as texts, those that are empty left out. */
export function reloadFields(
  changes: SettingsChanges,
  source: ConfigSource,
  services: number,
): Record<string, string | number | boolean> {
  return { services, nothingChanged: !hasChanges(changes), ...changeFields(changes), ...sourceFields(source) };
}

/** A file and its time as flat fields. */
export function sourceFields({ file, modified }: ConfigSource): Record<string, string> {
  return modified === null ? { file } : { file, modified };
}

/** What differs as flat fields. */
export function changeFields({ services, listeners, keys, needRestart }: SettingsChanges): Record<string, string> {
  const fields = {
    added: list(services.added),
    removed: list(services.removed),
    changed: list(services.changed.map(({ name, keys }) => withKeys(name, keys))),
    listenersAdded: list(listeners.added),
    listenersRemoved: list(listeners.removed),
    listenersChanged: list(listeners.changed.map(({ address, keys }) => withKeys(address, keys))),
    keys: list(keys),
    needRestart: list(needRestart),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, text]) => text !== ''));
}

function partsOf(changes: SettingsChanges): string[] {
  const { added, removed, changed, listenersAdded, listenersRemoved, listenersChanged, keys } = changeFields(changes);
  return [
    ...part('added', added),
    ...part('removed', removed),
    ...part('changed', changed),
    ...part('listens also on', listenersAdded),
    ...part('listens no more on', listenersRemoved),
    ...part('listens otherwise on', listenersChanged),
    ...part('also changed', keys),
  ];
}

function part(word: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`${word} ${text}`];
}

function withKeys(name: string, keys: readonly string[]): string {
  return keys.length === 0 ? name : `${name} (${keys.join(', ')})`;
}

function list(items: readonly string[]): string {
  const more = items.length > MOST ? ` and ${items.length - MOST} more` : '';
  return items.slice(0, MOST).join(', ') + more;
}
