import { expect, test } from 'vitest';
import { judge } from '../../../src/control/scale/guards.ts';
import type { Proposal, ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import {
  afterChange,
  decideScale,
  newScaler,
  observe,
  type ScaleOutcome,
  type ScaleSample,
  scaleInputs,
  sustainedRate,
} from '../../../src/control/scale/scaler.ts';
import { testGuards, testScale } from '../support/settings.ts';

/** Over the threshold for long enough, with nothing against it. */
const overloaded: ScaleInputs = {
  tick: 1,
  ready: 2,
  starting: 0,
  warming: 0,
  min: 1,
  max: 10,
  budgetLeft: 20,
  concurrency: 0,
  inFlight: 50,
  held: 0,
  samples: 500,
  minSamples: 20,
  windowMs: 15_000,
  quantile: 0.95,
  quantileMs: 1500,
  aboveMs: 1000,
  overTicks: 3,
  ticks: 3,
  arrivalsPerSecond: 100,
  completionsPerSecond: 80,
  windowArrivals: 1500,
  windowCompletions: 1200,
  sustainedPerSecond: 40,
  easedPerSecond: 0,
  utilisation: 0.8,
  stepUp: 1,
  stepUpEveryMs: 15_000,
  stepDownEveryMs: 60_000,
  cooldownLeftMs: 0,
  downWindowMs: 300_000,
  downCoveredMs: 300_000,
  peakArrivalsPerSecond: 100,
  peakRequests: 60,
  downBelow: 0.6,
  flapTokens: 4,
};

/** Quiet for the whole window. */
const quiet: ScaleInputs = {
  ...overloaded,
  quantileMs: 100,
  overTicks: 0,
  peakArrivalsPerSecond: 20,
  inFlight: 1,
  peakRequests: 2,
};

test('over the threshold it is sized from arrivals and the sustained rate, within the step', () => {
  expect(decideScale(overloaded)).toMatchObject({ action: 'scale-up', from: 2, to: 4, kind: 'latency' });
  expect(decideScale({ ...overloaded, arrivalsPerSecond: 300 })).toMatchObject({ to: 4 });
  expect(decideScale({ ...overloaded, arrivalsPerSecond: 10 })).toMatchObject({ to: 3 });
});

test.each<[string, Partial<ScaleInputs>]>([
  ['cooldown', { cooldownLeftMs: 1000 }],
  ['samples', { samples: 19 }],
  ['signal', { overTicks: 2 }],
  ['backlog', { windowArrivals: 1000, windowCompletions: 1200 }],
  ['step', { sinceUpMs: 14_000 }],
  ['budget', { max: 2 }],
  ['budget', { budgetLeft: 0 }],
  ['failures', { startsAllowed: 0 }],
  ['failures', { starting: 1, ready: 1, arrivalsPerSecond: 50 }],
  ['failures', { warming: 1, arrivalsPerSecond: 50 }],
])('%s keeps from going up', (guard, change) => {
  const outcome = decideScale({ ...overloaded, ...change });
  expect(outcome).toMatchObject({ action: 'none', from: 2, to: 2 });
  expect(outcome.verdicts.filter(({ verdict }) => verdict === 'block').map((each) => each.guard)).toEqual([guard]);
});

test.each<[string, Partial<ScaleInputs>]>([
  ['budget', { max: 3 }],
  ['budget', { budgetLeft: 1 }],
  ['failures', { startsAllowed: 1 }],
])('%s limits how far it goes up', (guard, change) => {
  const outcome = decideScale({ ...overloaded, ...change });
  expect(outcome).toMatchObject({ action: 'scale-up', to: 3 });
  expect(outcome.verdicts.find((each) => each.guard === guard)?.verdict).toBe('limit');
});

test('one fewer when the busiest moments would have fitted on the rest', () => {
  expect(decideScale(quiet)).toMatchObject({ action: 'scale-down', from: 2, to: 1 });
});

test('one fewer when fewer carried as much before, however little more they were ever asked for', () => {
  const steady = { ...quiet, peakArrivalsPerSecond: 50 };
  expect(decideScale({ ...steady, easedPerSecond: 45 }).action).toBe('none');
  const outcome = decideScale({ ...steady, easedPerSecond: 50 });
  expect(outcome).toMatchObject({ action: 'scale-down', from: 2, to: 1 });
  expect(outcome.reason).toBe('at most 50/s in 300 s, and 1 carried as much before (50/s); p95 100 ms < 600 ms');
});

test.each<[string, Partial<ScaleInputs>]>([
  ['the peak would not have fitted', { peakArrivalsPerSecond: 33 }],
  ['latency is not low', { quantileMs: 600 }],
  ['latency is not known', { quantileMs: Number.NaN }],
  ['the window is not covered', { downCoveredMs: 299_000 }],
  ['min', { min: 2 }],
  ['a replica is starting', { starting: 1 }],
  ['concurrency needs both', { concurrency: 2, peakRequests: 3 }],
])('not one fewer: %s', (_why, change) => {
  const { quantileMs, ...inputs } = { ...quiet, ...change };
  const known = Number.isNaN(quantileMs) ? inputs : { ...inputs, quantileMs: quantileMs ?? 0 };
  expect(decideScale(known)).toMatchObject({ action: 'none', verdicts: [] });
});

test.each<[string, Partial<ScaleInputs>]>([
  ['cooldown', { cooldownLeftMs: 1 }],
  ['samples', { samples: 3 }],
  ['step', { sinceChangeMs: 59_000 }],
  ['flaps', { flapTokens: 0.9 }],
])('%s keeps from going down', (guard, change) => {
  const outcome = decideScale({ ...quiet, ...change });
  expect(outcome.action).toBe('none');
  expect(outcome.verdicts.find(({ verdict }) => verdict === 'block')?.guard).toBe(guard);
});

test('what concurrency needs is not slowed by steps, ticks or samples', () => {
  const inputs = {
    ...overloaded,
    tick: 0,
    concurrency: 5,
    inFlight: 10,
    held: 30,
    overTicks: 0,
    samples: 0,
    sinceUpMs: 0,
  };
  expect(decideScale(inputs)).toMatchObject({ action: 'scale-up', kind: 'concurrency', to: 10 });
});

test('what a decision says is true: over the limit does not read the same as the limit', () => {
  expect(decideScale({ ...overloaded, quantileMs: 5.248, aboveMs: 5.2 }).reason).toBe(
    'p95 5.25 ms > 5.2 ms for 3 ticks',
  );
  expect(decideScale(quiet).reason).toBe('at most 20/s in 300 s, and 1 can carry 32/s; p95 100 ms < 600 ms');
  const slots = { ...overloaded, concurrency: 10, inFlight: 20, held: 4 };
  expect(decideScale(slots).reason).toBe('20 in flight and 4 waiting need 3 at 80 % of 10 each');
  const { sustainedPerSecond: _, ...unknown } = { ...overloaded, completionsPerSecond: 0, warming: 1 };
  const [failures] = decideScale(unknown).verdicts.filter(({ guard }) => guard === 'failures');
  expect(failures?.detail).toBe('1 of 2 replicas are new and count as capacity; what arrivals need is not known yet');
});

test('between ticks only concurrency is looked at', () => {
  expect(decideScale({ ...overloaded, tick: 0 })).toMatchObject({ action: 'none', kind: undefined });
  expect(decideScale({ ...quiet, tick: 0 })).toMatchObject({ action: 'none', kind: undefined });
});

test('every guard that was asked has its say in the verdicts, with numbers', () => {
  const proposal: Proposal = { kind: 'latency', from: 2, to: 4, reason: '' };
  const { verdicts } = judge(proposal, overloaded);
  expect(verdicts.map(({ guard }) => guard)).toEqual([
    'cooldown',
    'samples',
    'signal',
    'backlog',
    'step',
    'budget',
    'failures',
  ]);
  for (const { detail } of verdicts) expect(detail.length).toBeGreaterThan(5);
});

const sample: ScaleSample = {
  tick: true,
  ready: 1,
  starting: 0,
  warming: 0,
  min: 1,
  max: 4,
  budgetLeft: 10,
  startsAllowed: Number.POSITIVE_INFINITY,
  inFlight: 0,
  held: 0,
  samples: 100,
  quantileMs: 100,
  windowMs: 15_000,
  windowArrivals: 100,
  windowCompletions: 100,
  arrivalsPerSecond: 30,
  completionsPerSecond: 30,
  servedBy: 1,
  lately: { completionsPerSecond: 30, servedBy: 1 },
  downCoveredMs: 0,
  peakArrivalsPerSecond: 30,
  peakRequests: 3,
};

test('the sustained rate is the highest under the threshold and fades by half in an hour', () => {
  const low = observe(newScaler(testScale, 0), sample, testScale, 0);
  const high = observe(low, { ...sample, completionsPerSecond: 90, servedBy: 2 }, testScale, 1000);
  const over = observe(high, { ...sample, completionsPerSecond: 500, quantileMs: 5000 }, testScale, 2000);
  expect(sustainedRate(over, testGuards, 1000)).toBeCloseTo(45);
  expect(sustainedRate(over, testGuards, 3_601_000)).toBeCloseTo(22.5);
});

test('a few samples tell nothing of what a replica sustains, but that it carried them with ease', () => {
  const few = observe(newScaler(testScale, 0), { ...sample, samples: 3 }, testScale, 0);
  expect(sustainedRate(few, testGuards, 0)).toBeUndefined();
  expect(scaleInputs(few, { ...sample, ready: 2 }, testScale, 0).easedPerSecond).toBe(30);
});

test('what fewer carried counts while the latency was low, until as many cannot carry it', () => {
  const at = (state: ReturnType<typeof newScaler>, replicas: number) =>
    scaleInputs(state, { ...sample, ready: replicas }, testScale, 0).easedPerSecond;
  let state = newScaler(testScale, 0);
  const seen = (change: Partial<ScaleSample>) => {
    state = observe(state, { ...sample, ...change }, testScale, 0);
  };
  seen({});
  seen({ lately: { completionsPerSecond: 60, servedBy: 1 }, quantileMs: 700 });
  seen({ lately: { completionsPerSecond: 80, servedBy: 3 } });
  expect([1, 2, 3, 4].map((replicas) => at(state, replicas))).toEqual([0, 30, 30, 80]);
  const up: ScaleOutcome = { action: 'scale-up', kind: 'latency', from: 1, to: 2, reason: '', verdicts: [] };
  const spike = afterChange(state, up, { arrivalsPerSecond: 100 }, testScale, 0);
  expect(at(spike, 2)).toBe(30);
  const heavier = afterChange(state, up, { arrivalsPerSecond: 29 }, testScale, 0);
  expect([2, 4].map((replicas) => at(heavier, replicas))).toEqual([0, 80]);
});

test('ticks over the threshold are counted in a row', () => {
  let state = newScaler(testScale, 0);
  for (const quantileMs of [5000, 5000, 100, 5000]) state = observe(state, { ...sample, quantileMs }, testScale, 0);
  expect(state.overTicks).toBe(1);
  expect(observe(state, { ...sample, quantileMs: 5000, samples: 3 }, testScale, 0).overTicks).toBe(0);
});

test('each scale-down costs a token, which comes back twelve times an hour', () => {
  const down = { ...decideScale(quiet) };
  let state = newScaler(testScale, 0);
  for (let i = 0; i < 4; i++) state = afterChange(state, down, quiet, testScale, 0);
  expect(scaleInputs(state, sample, testScale, 0).flapTokens).toBeCloseTo(0);
  expect(scaleInputs(state, sample, testScale, 300_000).flapTokens).toBeCloseTo(1);
});
