import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createConsulSource } from '../../src/discovery/consul/source.ts';
import { createStaticSource } from '../../src/discovery/static/source.ts';
import type { DiscoveryQuery, DiscoverySource, EndpointSet } from '../../src/model/discovery.ts';
import { silentLogger } from '../../src/model/observe.ts';
import type { RunSettings } from '../../src/model/settings.ts';
import { createProcessRuntime } from '../../src/runtime/process/runtime.ts';
import { systemClock } from '../../src/util/clock.ts';
import { testService, testSettings } from './support/settings.ts';
import { World } from './support/world.ts';

/** Settings of a runtime that nothing in the program knows. */
interface BalloonRun extends RunSettings {
  string: string;
}

function balloon(string: string, kind = 'balloon'): BalloonRun {
  return { runtime: 'balloons', kind, string, stop: { signal: 'SIGPOP', graceMs: 10 } };
}

/** A source that nothing in the program knows. */
class Pigeons implements DiscoverySource {
  readonly name = 'pigeons';
  readonly title = 'the pigeon loft';
  queries: DiscoveryQuery[] = [];
  isBack = false;
  #emit: (set: EndpointSet) => void = () => {};

  follow(queries: DiscoveryQuery[]): void {
    this.queries = queries;
  }

  run(emit: (set: EndpointSet) => void): void {
    this.#emit = emit;
  }

  answered(): boolean {
    return this.isBack;
  }

  staleness(): number | undefined {
    return this.isBack ? 0 : undefined;
  }

  bring(service: string, ...endpoints: EndpointSet['endpoints']): void {
    this.isBack = true;
    this.#emit({ service, source: this.name, endpoints });
  }
}

/** A control plane with the runtimes and sources that there are, and with two that are made up. */
async function worldWith(...services: Parameters<typeof testService>[1][]) {
  const stateDirectory = await mkdtemp(join(tmpdir(), 'pilotlight-kinds-'));
  onTestFinished(() => rm(stateDirectory, { recursive: true, force: true }));
  const common = { clock: systemClock, logger: silentLogger, instance: 'test' };
  const consul = { address: 'http://127.0.0.1:1', token: undefined, caCert: undefined } as const;
  const pigeons = new Pigeons();
  const world = new World(
    services.map((service, index) => testService(`kite-${index}`, service)),
    {
      runtimes: [createProcessRuntime({ ...common, stateDirectory })],
      sources: [
        createStaticSource(common),
        pigeons,
        createConsulSource({ ...common, settings: { ...consul, register: false, advertise: undefined } }),
      ],
    },
    'balloons',
  );
  onTestFinished(() => world.life.abort());
  await world.start();
  return { world, pigeons };
}

test('a runtime that nobody knows prepares, starts, replaces and stops replicas, from settings of its own', async () => {
  const { world } = await worldWith({ run: balloon('3 m'), scale: { max: 1, idleMs: 20_000 } });
  await world.run(1000);
  expect([...world.runtime.prepared]).toEqual(['kite-0-1']);
  world.edge.request('kite-0');
  await world.run(1000);
  expect(world.runtime.runs).toEqual([balloon('3 m')]);
  expect(await world.status('kite-0')).toMatchObject({
    state: 'ready',
    replicas: [{ id: 'kite-0-1', state: 'ready' }],
  });
  world.control.reconfigure(
    testSettings([testService('kite-0', { run: balloon('5 m'), scale: { max: 1, idleMs: 20_000 } })]),
  );
  await world.run(15_000);
  expect(world.runtime.runs).toEqual([balloon('3 m'), balloon('5 m')]);
  expect(world.runtime.calls).toEqual(['start kite-0-1', 'start kite-0-2', 'stop kite-0-1']);
  await world.run(60_000);
  expect(world.runtime.running).toEqual([]);
  expect(world.errors).toEqual([]);
});

test('what cannot run twice ends before the next one starts, whatever it is', async () => {
  const kite = (string: string) => ({
    run: balloon(string, 'the-only-one'),
    scale: { max: 1, idleMs: 'never' as const },
  });
  const { world } = await worldWith(kite('3 m'));
  world.edge.request('kite-0');
  await world.run(15_000);
  world.control.reconfigure(testSettings([testService('kite-0', kite('5 m'))]));
  await world.run(15_000);
  world.edge.request('kite-0');
  await world.run(15_000);
  expect(world.runtime.calls).toEqual(['start kite-0-1', 'stop kite-0-1', 'start kite-0-1']);
});

test('a source that nobody knows is asked for what services say of it, and merged behind those before it', async () => {
  const fixed = { addresses: [{ host: '127.0.0.1', port: 7001, weight: 3 }] };
  const { world, pigeons } = await worldWith(
    { run: undefined, endpoints: { pigeons: { loft: 'north' }, static: fixed } },
    { run: undefined, endpoints: { static: fixed } },
  );
  expect(pigeons.queries).toEqual([{ service: 'kite-0', sought: { loft: 'north' } }]);
  expect(world.control.ready()).toBe(false);
  expect(world.control.awaited?.()).toBe('the pigeon loft');
  pigeons.bring('kite-0', { host: '127.0.0.1', port: 7002, weight: 1 }, { host: '127.0.0.1', port: 7001, weight: 9 });
  await world.run(100);
  expect(world.control.ready()).toBe(true);
  const { endpoints } = world.edge.service('kite-0').state;
  expect(endpoints.map(({ port, weight }) => [port, weight])).toEqual([
    [7001, 3],
    [7002, 1],
  ]);
  world.control.reconfigure(testSettings([testService('kite-0', { run: undefined, endpoints: { static: fixed } })]));
  await world.run(100);
  expect(world.edge.ready('kite-0')).toEqual(['127.0.0.1:7001']);
  expect((await world.status('kite-0')).troubles).toEqual([]);
});
