import { expect, test } from 'vitest';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const found = { consul: { service: 'found', tag: undefined } };

test('how it stands with a source is told, as far as a service is looked for in it', async () => {
  const source = new FakeSource();
  const services = [testService('routed', { run: undefined, endpoints: found }), testService('own')];
  const world = await World.started(services, { sources: [source, new FakeSource('other')] });
  const [status, ...more] = await world.settle(world.control.sources());
  expect(more).toEqual([]);
  expect(status).toEqual({
    name: 'consul',
    title: 'Consul',
    state: 'out-of-touch',
    services: 1,
    staleForMs: 1500,
    trouble: null,
    denied: [],
    agents: [],
    index: null,
  });
  source.age = 0;
  source.blind = { message: 'the token may not read service found', since: 0 };
  expect(await world.settle(world.control.sources())).toMatchObject([
    { state: 'in-touch', staleForMs: 0, denied: [{ service: 'routed', message: source.blind.message }] },
  ]);
  source.age = undefined;
  expect(await world.settle(world.control.sources())).toMatchObject([{ state: 'waiting', staleForMs: null }]);
});
