import type { SettingsChanges } from '../../model/reload.ts';
import type { ListenSettings, ServiceSettings, Settings } from '../../model/settings.ts';
import { canonicalJson } from '../../util/hash.ts';
import { hostPort } from '../../util/host-port.ts';
import { isMapping } from '../read/mapping.ts';
import { writtenKey } from '../read/path.ts';
import { partList } from '../schema/parts.ts';
import { endpointKeys } from './endpoints.ts';

/** Settings whose names are not those of the file, apart from the unit at their end. */
const NAMES: Record<string, string> = {
  'ready.kind': 'ready.check',
  'ready.statusMin': 'ready.status',
  'ready.statusMax': 'ready.status',
  'health.check': 'health',
};

/** Compares two configurations, by content. */
export function diffSettings(old: Settings, next: Settings): SettingsChanges {
  const { added, removed, changed } = diffLists<ServiceSettings>(
    old.services,
    next.services,
    ({ name }) => name,
    (service, other) => ({ ...service, endpoints: endpointKeys(service.endpoints, other.endpoints) }),
  );
  const listeners = diffLists<ListenSettings>(old.listen, next.listen, ({ address }) => hostPort(address));
  return {
    services: { added, removed, changed: changed.map(({ id, keys }) => ({ name: id, keys })) },
    listeners: { ...listeners, changed: listeners.changed.map(({ id, keys }) => ({ address: id, keys })) },
    keys: [
      ...keysOf({ trustedProxies: old.trustedProxies, budget: old.budget, prices: old.prices }, next, [
        'trustedProxies',
        'budget',
        'prices',
      ]),
      ...(same(rulesOf(old), rulesOf(next)) ? [] : ['declare']),
      ...partChanges(old, next, 'reloaded'),
    ],
    needRestart: [
      ...(same(old.admin.address, next.admin.address) ? [] : ['admin.address']),
      ...(old.admin.token === next.admin.token ? [] : ['admin.token']),
      ...(['accessLog', 'traces', 'workers', 'cluster', 'state'] as const).filter((key) => !same(old[key], next[key])),
      ...sourceChanges(old, next),
      // In the order in which they always were told.
      ...partChanges(old, next, 'restarted').reverse(),
    ],
  };
}

/** What may be declared: `defaults` are told with the services that they change. Who is asked first takes a restart. */
function rulesOf({ declare }: Settings): unknown {
  if (declare === undefined) return undefined;
  const sources = Object.entries(declare.sources).map(([name, source]) => [name, { ...source, prefix: undefined }]);
  return { ...declare, sources: Object.fromEntries(sources), defaults: undefined };
}

/** What differs in who is asked for declared services, and for which labels, by the keys of the file. */
function sourceChanges(old: Settings, next: Settings): string[] {
  return Object.entries(next.declare?.sources ?? {}).flatMap(([name, { prefix }]) => {
    const asked = old.declare?.sources[name];
    if (asked === undefined) return `declare.${name}`;
    return asked.prefix === prefix ? [] : `declare.${name}.prefix`;
  });
}

/** What differs in the sections of runtimes and sources: their names, or those keys that take effect by a reload. */
function partChanges(old: Settings, next: Settings, by: 'reloaded' | 'restarted'): string[] {
  return partList.flatMap(([name, { reloaded }]) => {
    const [was, is] = [old.parts[name] as Section, next.parts[name] as Section];
    if (by === 'restarted') return same(omit(was, reloaded), omit(is, reloaded)) ? [] : [name];
    return reloaded.filter((key) => was && is && !same(was[key], is[key])).map((key) => `${name}.${key}`);
  });
}

type Section = Readonly<Record<string, unknown>> | undefined;

function omit(section: Section, keys: readonly string[]): unknown {
  return section && Object.fromEntries(Object.entries(section).filter(([key]) => !keys.includes(key)));
}

/** Whether anything differs that takes effect at once. */
export function hasChanges({ services, listeners, keys }: SettingsChanges): boolean {
  return [keys, ...Object.values(services), ...Object.values(listeners)].some((list) => list.length > 0);
}

/** @param asWritten an item by the keys of the file, to be compared with another one */
function diffLists<Item extends object>(
  old: readonly Item[],
  next: readonly Item[],
  idOf: (item: Item) => string,
  asWritten: (item: Item, other: Item) => object = (item) => item,
) {
  const before = new Map(old.map((item) => [idOf(item), item]));
  const after = new Set(next.map(idOf));
  return {
    added: next.map(idOf).filter((id) => !before.has(id)),
    removed: old.map(idOf).filter((id) => !after.has(id)),
    changed: next.flatMap((item) => {
      const previous = before.get(idOf(item));
      if (previous === undefined || same(previous, item)) return [];
      return [{ id: idOf(item), keys: keysOf(asWritten(previous, item), asWritten(item, previous)) }];
    }),
  };
}

/** Keys of which the values differ, those of a section by their own names, as they are written in the file. */
function keysOf(old: object, next: object, among = [...Object.keys(old), ...Object.keys(next)]): string[] {
  const [before, after] = [old as Record<string, unknown>, next as Record<string, unknown>];
  const keys = new Set<string>();
  for (const key of new Set(among)) {
    const [was, is] = [before[key], after[key]];
    if (same(was, is)) continue;
    if (isMapping(was) && isMapping(is) && was['kind'] === is['kind']) {
      const section = key === 'run' ? `run.${is['runtime']}` : key;
      for (const inner of new Set([...Object.keys(was), ...Object.keys(is)])) {
        if (!same(was[inner], is[inner])) keys.add(written(`${section}.${inner}`));
      }
    } else {
      keys.add(written(key));
    }
  }
  return [...keys].sort();
}

function written(name: string): string {
  return NAMES[name] ?? writtenKey(name);
}

function same(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson([a]) === canonicalJson([b]);
}
