import { expect, test } from 'vitest';
import type { EdgeMessage, ServiceReport } from '../../../src/model/link.ts';
import type { EndpointState, ServiceState } from '../../../src/model/snapshot.ts';
import { Agenda } from '../../../src/simulate/agenda.ts';
import type { AppModel } from '../../../src/simulate/app-model.ts';
import { EdgeService } from '../../../src/simulate/edge/edge-service.ts';
import { constantRate, openLoad } from '../../../src/simulate/load.ts';
import { createRandom } from '../../../src/simulate/random.ts';
import { SimulatedRequest } from '../../../src/simulate/request.ts';
import { Fleet } from '../../../src/simulate/run/fleet.ts';
import { Ledger } from '../../../src/simulate/run/ledger.ts';
import { constant } from '../../../src/simulate/service-time.ts';
import { Histogram } from '../../../src/util/histogram.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { testService } from '../../control/support/settings.ts';

/** An edge with nobody who controls it but the test. */
class Bench {
  readonly clock = new VirtualClock();
  readonly agenda = new Agenda(this.clock);
  readonly fleet = new Fleet(this.clock, this.agenda);
  readonly said: EdgeMessage[] = [];
  readonly edge: EdgeService;
  #version = 0;
  readonly #ports: number[] = [];

  constructor(app: Partial<AppModel> = {}, replicas = 1) {
    const settings = testService('a');
    const ledger = new Ledger('a', 0.95, () => 1000);
    const whole = { serviceTime: constant(0), slots: 1, ...app };
    const { agenda, fleet } = this;
    const policy = { ...settings, wakeable: true, concurrency: 0, shed: [503] };
    const post = (message: EdgeMessage) => void this.said.push(message);
    this.edge = new EdgeService(policy, { agenda, fleet, random: createRandom(1), ledger, post, onEnded() {} });
    const load = openLoad(constantRate(1));
    fleet.add({ settings, app: whole, load, start: { startMs: 1 } }, ledger, this.edge, createRandom(1));
    for (let i = 1; i <= replicas; i++) this.#ports.push(fleet.launch('a', i, '', 0).address?.port ?? 0);
  }

  /** Control says what the replicas are to the edge. */
  tell(states: EndpointState[], change: Partial<ServiceState> = {}): void {
    const endpoints = states.map((state, index) => {
      const port = this.#ports[index] ?? 0;
      return { id: `a-${index + 1}`, host: '127.0.0.1', port, state, weight: 1, start: null };
    });
    const none = { starting: false, expectedStartMs: null, inFlightLimit: null, blocked: null, failures: 0 };
    this.edge.apply({ service: 'a', endpoints, holdTimeoutMs: 30_000, ...none, ...change }, ++this.#version);
  }

  send(count: number, workMs: number, fails = false): void {
    for (let i = 0; i < count; i++) this.edge.arrive(new SimulatedRequest(this.agenda.now, workMs, 0, fails, -1));
  }

  run(ms: number): Promise<void> {
    return this.agenda.run(this.agenda.now + ms);
  }

  report(): ServiceReport {
    return this.edge.report(this.agenda.now) as ServiceReport;
  }
}

function count(sparse: number[]): number {
  const all = new Histogram();
  all.merge(sparse);
  return all.total;
}

test('the load of a report is what was in flight and queued, integrated', async () => {
  const bench = new Bench({ slots: 10 });
  bench.tell(['ready']);
  bench.send(2, 300);
  await bench.run(1000);
  expect(bench.report()).toMatchObject({ arrivals: 2, completions: 2, good: 2, inFlight: 0, loadMs: 600 });
  bench.send(1, 5000);
  await bench.run(1000);
  expect(bench.report()).toMatchObject({ arrivals: 1, completions: 0, inFlight: 1, loadMs: 1000 });
});

test('answers that shed load, fail and succeed are told apart', async () => {
  const bench = new Bench({ shedsAbove: 1 });
  bench.tell(['ready']);
  bench.send(1, 10, true);
  bench.send(3, 10);
  await bench.run(1000);
  // One is worked on, one queues, two are turned away.
  expect(bench.report()).toMatchObject({
    completions: 4,
    errors: 1,
    good: 1,
    shed: 2,
    codes: [503, 2, 500, 1, 200, 1],
  });
});

test('a bound on what is in flight has the rest wait at the edge, as load and with its ages', async () => {
  const bench = new Bench();
  bench.tell(['ready'], { inFlightLimit: 2 });
  bench.send(5, 400);
  await bench.run(200);
  const report = bench.report();
  expect(report).toMatchObject({ inFlight: 2, held: 3, loadMs: 1000 });
  expect(count(report.queued)).toBe(3);
  bench.tell(['ready']);
  await bench.run(300);
  expect(bench.report().held).toBe(0);
});

test('what waits goes to the replica that is added', async () => {
  const bench = new Bench({}, 2);
  bench.tell(['ready'], { inFlightLimit: 2 });
  bench.send(4, 10_000);
  bench.tell(['ready', 'ready'], { inFlightLimit: 2 });
  await bench.run(100);
  expect(bench.report().endpoints.map(({ inFlight }) => inFlight)).toEqual([2, 2]);
});

test('only what came since an endpoint was added is timed, and every answer is counted', async () => {
  const bench = new Bench({ slots: 10 }, 2);
  bench.tell(['ready']);
  bench.send(3, 500);
  await bench.run(100);
  bench.tell(['ready', 'ready']);
  const [old] = bench.report().endpoints;
  expect(count(old?.waiting ?? [])).toBe(0);
  await bench.run(1000);
  const [first] = bench.report().endpoints;
  expect(first).toMatchObject({ answers: 3, ttfb: [], calm: [] });
});

test('only the first of those that find a replica idle is calm', async () => {
  const bench = new Bench({ slots: 10 });
  bench.tell(['ready']);
  bench.send(3, 50);
  await bench.run(1000);
  const [endpoint] = bench.report().endpoints;
  expect(count(endpoint?.ttfb ?? [])).toBe(3);
  expect(count(endpoint?.calm ?? [])).toBe(1);
});

test('a cordoned endpoint gets nothing new, and is drained when the last request has ended', async () => {
  const bench = new Bench({}, 2);
  bench.tell(['ready', 'ready']);
  bench.send(2, 500);
  bench.tell(['ready', 'cordoned']);
  bench.send(2, 500);
  await bench.run(400);
  expect(bench.said.map(({ type }) => type)).toEqual(['ack']);
  expect(bench.report().endpoints.map(({ inFlight }) => inFlight)).toEqual([3, 1]);
  await bench.run(200);
  expect(bench.said.at(-1)).toMatchObject({ type: 'drained', endpoint: 'a-2', version: 2 });
});

test('a wait for a start is none of the service, and is told at once', async () => {
  const bench = new Bench({ slots: 10 });
  bench.tell([]);
  bench.send(1, 20);
  expect(bench.said).toEqual([{ type: 'demand', service: 'a', held: 1, inFlight: 0 }]);
  await bench.run(3000);
  expect(bench.report()).toMatchObject({ held: 1, queued: [], loadMs: 0 });
  bench.tell(['ready']);
  await bench.run(1000);
  const [endpoint] = bench.report().endpoints;
  const times = new Histogram();
  times.merge(endpoint?.ttfb ?? []);
  // It came before the endpoint did, so that its time is told of the service alone.
  expect(times.total).toBe(0);
});
