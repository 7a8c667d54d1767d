import { expect, test } from 'vitest';
import type { EndpointSet } from '../../../src/model/discovery.ts';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const found = { consul: { service: 'found', tag: undefined } };
const endpoint = (port: number) => ({ host: '127.0.0.1', port, weight: 1 });

/** A successor whose source is silent. */
async function successor(known: EndpointSet[]) {
  const source = new FakeSource();
  [source.isAnswered, source.age] = [false, undefined];
  const service = testService('routed', { run: undefined, endpoints: found });
  const world = await World.started([service], { sources: [source], known: { endpoints: known } });
  await world.run(100);
  return { world, source };
}

test('what a source said to the process before holds until it answers', async () => {
  const { world, source } = await successor([{ service: 'routed', source: 'consul', endpoints: [endpoint(7001)] }]);
  expect(world.edge.ready('routed')).toEqual(['127.0.0.1:7001']);
  source.say('routed', 7002);
  await world.run(100);
  expect(world.edge.ready('routed')).toEqual(['127.0.0.1:7002']);
});

test('nothing is taken over of a source or a service that is not configured any more', async () => {
  const { world } = await successor([
    { service: 'gone', source: 'consul', endpoints: [endpoint(7001)] },
    { service: 'routed', source: 'another', endpoints: [endpoint(7001)] },
  ]);
  expect(world.edge.ready('routed')).toEqual([]);
});

test('what an operator set under the process before holds on', async () => {
  const source = new FakeSource();
  const service = testService('routed', { run: undefined, endpoints: found });
  const byHand = [{ service: 'routed', address: '127.0.0.1:7001', drain: true, weight: null }];
  const world = await World.started([service], { sources: [source], known: { byHand } });
  source.say('routed', 7001, 7002);
  await world.run(100);
  expect(world.edge.ready('routed')).toEqual(['127.0.0.1:7002']);
  expect(world.control.knownEndpoints().byHand).toEqual(byHand);
});

test('a successor gets what each source said last', async () => {
  const { world, source } = await successor([]);
  source.say('routed', 7002);
  expect(world.control.knownEndpoints().endpoints).toMatchObject([
    { service: 'routed', source: 'consul', endpoints: [{ host: '127.0.0.1', port: 7002 }] },
  ]);
});
