import { expect, test } from 'vitest';
import { type DemandInputs, wantedReplicas } from '../../../src/control/scale/demand.ts';

const asleep: DemandInputs = {
  min: 0,
  max: 10,
  initial: 1,
  concurrency: 0,
  utilisation: 0.8,
  held: 0,
  inFlight: 0,
  ready: 0,
  woken: 0,
  slept: 0,
  target: 0,
  arrivalsBeforePerSecond: 0,
};

test.each<[string, Partial<DemandInputs>, number]>([
  ['nothing asks', {}, 0],
  ['nothing asks, min', { min: 2 }, 2],
  ['nothing asks, min, put to sleep by hand', { min: 2, slept: 1 }, 0],
  ['one waits', { held: 1 }, 1],
  ['a thousand wait', { held: 1000 }, 1],
  ['an operator asks', { woken: 1 }, 1],
  ['one waits, initial', { held: 1, initial: 3 }, 3],
  ['one waits, initial and min', { held: 1, initial: 2, min: 4 }, 4],
  ['ten wait, five at once', { held: 10, concurrency: 5 }, 3],
  ['some wait and some are in flight', { held: 5, inFlight: 5, concurrency: 5 }, 3],
  ['more than max', { held: 1000, concurrency: 1 }, 10],
  [
    'a known capacity and the arrivals just before',
    { held: 1, arrivalsBeforePerSecond: 130, capacityPerSecond: 50 },
    3,
  ],
  [
    'as many just before as one is known to carry',
    { held: 1, arrivalsBeforePerSecond: 50.3, capacityPerSecond: 50 },
    1,
  ],
  ['a known capacity and nothing before, however many wait', { held: 500, capacityPerSecond: 50 }, 1],
  ['arrivals before, but no known capacity', { held: 1, arrivalsBeforePerSecond: 100 }, 1],
  ['awake: the target', { ready: 1, held: 100, target: 2 }, 2],
  ['awake: at least min', { ready: 1, target: 1, min: 3 }, 3],
  ['awake: at most max', { ready: 1, target: 30 }, 10],
])('%s', (_what, change, wanted) => {
  expect(wantedReplicas({ ...asleep, ...change })).toBe(wanted);
});
