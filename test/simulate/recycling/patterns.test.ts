import { expect, test } from 'vitest';
import { createRandom, type Random } from '../../../src/simulate/random.ts';
import { fixedKeep } from '../../../src/simulate/recycling/keep-policy.ts';
import { ownPolicy } from '../../../src/simulate/recycling/own-policy.ts';
import { type KeepTotals, replay } from '../../../src/simulate/recycling/replay.ts';
import type { ServiceCalls } from '../../../src/simulate/recycling/workload.ts';

const WEIGHT = 150;
const HOUR_S = 3600;
const DAY_S = 24 * HOUR_S;

/** Time until the next call after one at `at`, s. */
type NextGap = (random: Random, at: number) => number;

const around = (mean: number, random: Random) => -mean * Math.log(1 - random());
/** Pareto with an exponent of 0.8: without a mean, but for the day at which it is cut off. */
const heavyTail: NextGap = (random) => Math.min(DAY_S, (1 - random()) ** (-1 / 0.8));
const bimodal: NextGap = (random) => (random() < 0.9 ? around(2, random) : 1200 + around(300, random));
const dayAndNight: NextGap = (random, at) => {
  const next = at + around(20, random);
  return next % DAY_S < 8 * HOUR_S ? next - at : (Math.floor(at / DAY_S) + 1) * DAY_S - at;
};
const busyThenRare: NextGap = (random, at) => around(at < 7 * DAY_S ? 10 : 2 * HOUR_S, random);

function callsOf(next: NextGap, days: number): ServiceCalls {
  const random = createRandom(1);
  const at: number[] = [];
  for (let second = 0; second < days * DAY_S; second += next(random, second)) at.push(second * 1000);
  return {
    caller: 'recorded',
    startMs: 1000,
    stopMs: 200,
    memoryMiB: 1,
    at: Float64Array.from(at),
    durationMs: Float64Array.from(at, () => 50),
  };
}

/** In seconds of a replica. */
const costOf = ({ replicaSeconds, waitedSeconds }: KeepTotals) => replicaSeconds + WEIGHT * waitedSeconds;

/** What the best of many fixed times would have cost: known only afterwards. */
function bestFixed(calls: ServiceCalls, endMs: number): number {
  const times = Array.from({ length: 34 }, (_, i) => 1000 * 1.4 ** i);
  return Math.min(...times.map((keepMs) => costOf(replay(calls, fixedKeep('', keepMs).create(), endMs))));
}

test.each([
  ['with a heavy tail', heavyTail],
  ['of two kinds', bimodal],
  ['by day, and none at night', dayAndNight],
  ['that become rare after a week', busyThenRare],
])('calls %s: what is learnt costs little more than the best fixed time, which is known only afterwards', (_, next) => {
  const days = 14;
  const calls = callsOf(next, days);
  const endMs = days * DAY_S * 1000;
  const ours = costOf(replay(calls, ownPolicy(WEIGHT).create(), endMs));
  expect(ours).toBeLessThan(1.1 * bestFixed(calls, endMs));
});
