import { child, core } from '../option/walk.ts';
import { serviceSchema } from '../schema/service.ts';
import type { Draft } from './draft.ts';

/** What labels of ours say: whether the service is declared, undefined where they say nothing of that. */
export type Enabled = boolean | undefined;

/**
 * Reads the labels that begin with the prefix: `enable`, `name`, `port`, `route`, `route.2`, options of a route as
 * `route.2.strip`, `group`, and any other option of a service by its path.
 */
export function readOwnLabels(labels: Readonly<Record<string, string>>, prefix: string, draft: Draft): Enabled {
  const own = Object.entries(labels)
    .filter(([label]) => label.startsWith(`${prefix}.`))
    .map(([label, value]) => ({ label, keys: label.slice(prefix.length + 1).split('.'), value: value.trim() }));
  if (own.length === 0) return undefined;
  const enable = own.find(({ keys }) => keys.length === 1 && keys[0] === 'enable');
  if (enable !== undefined && enable.value !== 'true') {
    if (enable.value === 'false') return false;
    draft.refuse(enable.label, `expected true or false, found ${JSON.stringify(enable.value.slice(0, 100))}`);
  }
  const places = routePlaces(own.map(({ keys }) => keys));
  for (const { label, keys, value } of own) {
    const [first = '', ...rest] = keys;
    if (first === 'enable' && rest.length === 0) continue;
    if (first === 'name' && rest.length === 0) draft.name = value;
    else if (first === 'port' && rest.length === 0) draft.port = { label, value };
    else if (first === 'route') readRoute(draft, label, places, rest, value);
    else draft.set(label, withIndices(keys), value, first === 'group' || first === 'after');
  }
  return true;
}

/** The places of routes in their list, by the number in their labels: gaps are none. */
function routePlaces(all: readonly (readonly string[])[]): Map<number, number> {
  const numbers = all.flatMap((keys) => (keys[0] === 'route' ? [numberOf(keys)] : []));
  return new Map([...new Set(numbers)].sort((a, b) => a - b).map((number, index) => [number, index]));
}

/** `route` is the first one, `route.2` the second. */
function numberOf([, second = '']: readonly string[]): number {
  return /^[1-9]\d{0,3}$/.test(second) ? Number(second) : 1;
}

function readRoute(
  draft: Draft,
  label: string,
  places: ReadonlyMap<number, number>,
  rest: readonly string[],
  value: string,
): void {
  const number = numberOf(['route', ...rest]);
  const keys = /^[1-9]\d{0,3}$/.test(rest[0] ?? '') ? rest.slice(1) : rest;
  const base = ['routes', places.get(number) ?? 0];
  if (keys.length > 0) draft.set(label, [...base, ...keys], value, keys.join('.') === 'host' || keys[0] === 'path');
  else setPlace(draft, label, base, value);
}

/** `shop.example.com/api`, `shop.example.com` or `/api`. */
export function setPlace(draft: Draft, label: string, base: readonly (string | number)[], place: string): void {
  const slash = place.indexOf('/');
  const [host, path] = slash === -1 ? [place, '/'] : [place.slice(0, slash), place.slice(slash)];
  if (place === '') draft.refuse(label, 'expected host/path, such as shop.example.com/api, found nothing');
  else if (host !== '') draft.set(label, [...base, 'host'], host, true);
  if (place !== '') draft.set(label, [...base, 'path'], path, true);
}

/** Keys of numbers where the option is a list: `wake.0.path`. */
function withIndices(keys: readonly string[]): (string | number)[] {
  const path: (string | number)[] = [];
  let at: ReturnType<typeof child> = serviceSchema;
  for (const key of keys) {
    const isPlace: boolean = at !== undefined && core(at)._zod.def.type === 'array' && /^\d{1,3}$/.test(key);
    const step: string | number = isPlace ? Number(key) : key;
    path.push(step);
    at = at && child(at, step);
  }
  return path;
}
