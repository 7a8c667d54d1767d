import { expect, test } from 'vitest';
import { createStaticSource } from '../../../src/discovery/static/source.ts';
import type { EndpointSet } from '../../../src/model/discovery.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const query = (service: string, ...ports: number[]) => ({
  service,
  sought: { addresses: ports.map((port) => ({ host: '10.0.0.5', port, weight: 1 })), resolveMs: 30_000 },
});

function running() {
  const source = createStaticSource({ clock: new VirtualClock(), logger: silentLogger });
  const sets: EndpointSet[] = [];
  const abort = new AbortController();
  const start = () => source.run((set) => sets.push(set), abort.signal);
  const taken = () => sets.splice(0).map(({ service, endpoints }) => [service, ...endpoints.map(({ port }) => port)]);
  return { source, start, taken, abort };
}

test('every followed service is pushed once per follow, with its whole set', () => {
  const { source, start, taken } = running();
  source.follow([query('shop', 1, 2), query('blog')]);
  expect(taken()).toEqual([]);
  start();
  expect(taken()).toEqual([['shop', 1, 2], ['blog']]);
  source.follow([query('shop', 1), query('blog', 3)]);
  expect(taken()).toEqual([
    ['shop', 1],
    ['blog', 3],
  ]);
});

test('a service that is followed no more has no endpoints any more', () => {
  const { source, start, taken } = running();
  source.follow([query('shop', 1), query('blog', 2)]);
  start();
  taken();
  source.follow([query('blog', 2)]);
  expect(taken()).toEqual([['shop'], ['blog', 2]]);
  expect(source.staleness('shop')).toBeUndefined();
  expect(source.staleness('blog')).toBe(0);
});

test('nothing is pushed after the end', () => {
  const { source, start, taken, abort } = running();
  start();
  abort.abort();
  source.follow([query('shop', 1)]);
  expect(taken()).toEqual([]);
});
