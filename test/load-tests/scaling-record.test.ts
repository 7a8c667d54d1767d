import { expect, test } from 'vitest';
import { outcomeOf, type Seen } from '../../load-tests/scaling/record.ts';
import type { ServiceStatus } from '../../src/model/status.ts';
import type { MimicEvent } from '../support/mimic-log.ts';
import type { Sample } from '../support/paced-load.ts';

const BEGAN = 1_000_000;

const sample = (dueMs: number, endMs: number, status = 200): Sample => ({
  dueAt: BEGAN + dueMs,
  endedAt: BEGAN + endMs,
  status,
  boot: 'a',
  error: undefined,
});

const look = (atMs: number, ...states: string[]) => {
  const status = { inFlight: 0, held: 0, replicas: states.map((state) => ({ state })) };
  return { at: BEGAN + atMs, status: status as unknown as ServiceStatus };
};

const event = (atMs: number, boot: string, kind: MimicEvent['event']): MimicEvent => ({
  at: BEGAN + atMs,
  boot,
  pid: 1,
  port: 1,
  event: kind,
});

const seen = (change: Partial<Seen>): Seen => ({
  service: 'shop',
  beganAt: BEGAN,
  seconds: 10,
  samples: [],
  looks: [],
  events: [],
  decisions: [],
  aboveMs: 500,
  quantile: 0.95,
  ...change,
});

test('answers, refusals, errors and what is lost are told apart', () => {
  const samples = [200, 404, 503, 504, 500, 502, 0].map((status, index) => sample(index, index + 10, status));
  expect(outcomeOf(seen({ samples }))).toMatchObject({ arrivals: 7, answered: 2, shed: 2, errors: 2, lost: 1 });
});

test('a second is over while what waits is older than the threshold, and while late answers are of the last five', () => {
  const { series, secondsOver } = outcomeOf(seen({ samples: [sample(100, 2_600)] }));
  // At the ends of the seconds 0 to 2 it is 0.9 s old, 1.9 s old, and answered.
  expect(series[0]).toMatchObject({ arrivals: 1, answered: 0, p95Ms: 900 });
  expect(series[2]).toMatchObject({ arrivals: 0, answered: 1, p95Ms: 2500 });
  expect(secondsOver).toBe(7);
  expect(series[7]?.p95Ms).toBeUndefined();
});

test('replicas are counted as the proxy says, starts and their seconds as the replicas themselves', () => {
  const looks = [look(-100, 'ready'), look(2_500, 'ready', 'starting'), look(7_500, 'ready', 'draining')];
  const events = [event(-5_000, 'a', 'boot'), event(2_000, 'b', 'boot'), event(7_000, 'b', 'exit')];
  const outcome = outcomeOf(seen({ looks, events }));
  expect(outcome).toMatchObject({ starts: 1, mostReplicas: 2, lastReplicas: 1, replicaSeconds: 15 });
  expect(outcome.series[3]).toMatchObject({ ready: 1, starting: 1, retiring: 0 });
  expect(outcome.series[8]).toMatchObject({ ready: 1, starting: 0, retiring: 1 });
});
