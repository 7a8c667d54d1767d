import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DemandInputs, wantedReplicas } from '../../src/control/scale/demand.ts';
import type { ScaleInputs } from '../../src/control/scale/scale-inputs.ts';
import { afterChange, decideScale, newScaler, observe, scaleInputs } from '../../src/control/scale/scaler.ts';
import {
  allowance,
  blockedUntil,
  type CircuitEvent,
  newCircuit,
  nextCircuit,
} from '../../src/control/start/circuit.ts';
import { testGuards, testScale } from '../control/support/settings.ts';

const count = (max: number) => fc.integer({ min: 0, max });
const rate = fc.double({ min: 0, max: 1000, noNaN: true });
const ms = (max: number) => fc.double({ min: 0, max, noNaN: true });

const inputs: fc.Arbitrary<ScaleInputs> = fc.record(
  {
    tick: fc.constantFrom(0, 1),
    ready: count(20),
    starting: count(5),
    warming: count(3),
    min: fc.integer({ min: 1, max: 3 }),
    max: fc.integer({ min: 3, max: 20 }),
    budgetLeft: fc.integer({ min: -5, max: 20 }),
    concurrency: fc.constantFrom(0, 1, 5, 50),
    inFlight: count(500),
    held: count(500),
    samples: count(1000),
    minSamples: fc.constant(20),
    windowMs: ms(300_000),
    quantile: fc.constantFrom(0.5, 0.95, 0.99),
    quantileMs: ms(5000),
    aboveMs: fc.constant(1000),
    overTicks: count(6),
    ticks: fc.constant(3),
    arrivalsPerSecond: rate,
    completionsPerSecond: rate,
    windowArrivals: count(5000),
    windowCompletions: count(5000),
    sustainedPerSecond: rate,
    easedPerSecond: rate,
    utilisation: fc.constant(0.8),
    stepUp: fc.constantFrom(0.1, 0.5, 1, 2),
    stepUpEveryMs: fc.constant(15_000),
    stepDownEveryMs: fc.constant(60_000),
    sinceUpMs: ms(100_000),
    sinceChangeMs: ms(100_000),
    cooldownLeftMs: fc.constantFrom(0, 0, 0, 1000),
    downWindowMs: fc.constant(300_000),
    downCoveredMs: ms(600_000),
    peakArrivalsPerSecond: rate,
    peakRequests: count(100),
    downBelow: fc.constant(0.6),
    flapTokens: ms(4),
    startsAllowed: fc.constantFrom(0, 1),
  },
  {
    requiredKeys: [
      'tick',
      'ready',
      'starting',
      'warming',
      'min',
      'max',
      'budgetLeft',
      'concurrency',
      'inFlight',
      'held',
      'samples',
      'minSamples',
      'windowMs',
      'quantile',
      'aboveMs',
      'overTicks',
      'ticks',
      'arrivalsPerSecond',
      'completionsPerSecond',
      'windowArrivals',
      'windowCompletions',
      'easedPerSecond',
      'utilisation',
      'stepUp',
      'stepUpEveryMs',
      'stepDownEveryMs',
      'cooldownLeftMs',
      'downWindowMs',
      'downCoveredMs',
      'peakArrivalsPerSecond',
      'peakRequests',
      'downBelow',
      'flapTokens',
    ],
  },
) as fc.Arbitrary<ScaleInputs>;

test('no decision leaves the bounds of max, budget, step and min', () => {
  fc.assert(
    fc.property(inputs, (given) => {
      const { action, kind, from, to } = decideScale(given);
      if (action === 'scale-up') {
        expect(to).toBeGreaterThan(from);
        expect(to).toBeLessThanOrEqual(given.max);
        expect(to - from).toBeLessThanOrEqual(given.budgetLeft);
        expect(to - from).toBeLessThanOrEqual(given.startsAllowed ?? Number.POSITIVE_INFINITY);
        if (kind === 'latency') expect(to).toBeLessThanOrEqual(from + Math.max(1, Math.floor(from * given.stepUp)));
      } else if (action === 'scale-down') {
        expect(to).toBe(from - 1);
        expect(to).toBeGreaterThanOrEqual(given.min);
      } else {
        expect(to).toBe(from);
      }
    }),
    { numRuns: 5000 },
  );
});

test('without samples there is no change but for concurrency', () => {
  fc.assert(
    fc.property(inputs, (given) => {
      const { quantileMs: _, ...unknown } = { ...given, samples: 0 };
      const { action, kind } = decideScale(unknown);
      expect(action === 'none' || kind === 'concurrency').toBe(true);
    }),
    { numRuns: 2000 },
  );
});

test('a decision made again from its entry in the log is the same', () => {
  fc.assert(
    fc.property(inputs, (given) => {
      const outcome = decideScale(given);
      const entry = { at: '', service: 's', dryRun: false, ...outcome, inputs: { ...given } };
      expect(decideScale(JSON.parse(JSON.stringify(entry)).inputs)).toEqual(outcome);
    }),
    { numRuns: 2000 },
  );
});

test('up and down are never both within reach: what asks for one replica more does not ask for one fewer', () => {
  fc.assert(
    fc.property(inputs, (given) => {
      const { action } = decideScale(given);
      if (action === 'scale-down') expect(given.quantileMs ?? Number.POSITIVE_INFINITY).toBeLessThan(given.aboveMs);
      if (action === 'scale-up' && given.concurrency === 0)
        expect(given.quantileMs ?? 0).toBeGreaterThan(given.aboveMs);
    }),
    { numRuns: 2000 },
  );
});

const demand: fc.Arbitrary<DemandInputs> = fc
  .record({
    min: count(3),
    max: fc.integer({ min: 3, max: 20 }),
    initial: fc.integer({ min: 1, max: 3 }),
    concurrency: fc.constantFrom(0, 1, 10),
    utilisation: fc.constant(0.8),
    held: count(1000),
    inFlight: count(100),
    ready: count(5),
    woken: count(1),
    slept: count(1),
    target: count(10),
    arrivalsBeforePerSecond: rate,
  })
  .chain((known) =>
    fc.option(rate).map((sustained) => (sustained === null ? known : { ...known, sustainedPerSecond: sustained })),
  );

test('what is wanted lies within max, reaches min, and never grows with the number held alone', () => {
  fc.assert(
    fc.property(demand, (given) => {
      const wanted = wantedReplicas(given);
      expect(wanted).toBeLessThanOrEqual(given.max);
      if (given.slept === 0) expect(wanted).toBeGreaterThanOrEqual(given.min);
      if (given.concurrency === 0 && given.held > 0) expect(wantedReplicas({ ...given, held: 1 })).toBe(wanted);
    }),
    { numRuns: 2000 },
  );
});

const circuitEvent: fc.Arbitrary<CircuitEvent['type']> = fc.constantFrom(
  'started',
  'withdrawn',
  'ready',
  'failed',
  'crashed',
  'forgiven',
);

test('a circuit that is not closed lets one start through at most, and blocks for five minutes at most', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(circuitEvent, count(20_000), fc.boolean())), (events) => {
      let circuit = newCircuit;
      let now = 0;
      for (const [type, wait, retrySafe] of events) {
        const askedAt = now;
        now += wait;
        const event = { type, askedAt, readyAt: askedAt, retrySafe, wasReady: retrySafe } as CircuitEvent;
        circuit = nextCircuit(circuit, event, now, () => 0.5);
        expect(allowance(circuit, now)).toBeLessThanOrEqual(circuit.state === 'closed' ? Number.POSITIVE_INFINITY : 1);
        expect((blockedUntil(circuit, now) ?? now) - now).toBeLessThanOrEqual(300_000);
        if (Math.max(circuit.failures, circuit.crashes) >= 2 && circuit.state === 'backing-off')
          throw new Error('two failures must open');
      }
    }),
    { numRuns: 1000 },
  );
});

test('scale-downs stay within the flap budget over any time, whatever is asked for', () => {
  const quiet = {
    ready: 5,
    starting: 0,
    warming: 0,
    min: 1,
    max: 9,
    budgetLeft: 9,
    inFlight: 0,
    held: 0,
    samples: 100,
  };
  const rates = { quantileMs: 1, windowMs: 1, windowArrivals: 1, windowCompletions: 1, arrivalsPerSecond: 1 };
  const peaks = {
    completionsPerSecond: 500,
    servedBy: 5,
    lately: { completionsPerSecond: 500, servedBy: 5 },
    downCoveredMs: 1e9,
    peakArrivalsPerSecond: 1,
    peakRequests: 1,
  };
  const sample = { ...quiet, ...rates, ...peaks, tick: true, startsAllowed: 9 };
  const scale = { ...testScale, guards: { ...testGuards, stepDownEveryMs: 0 } };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 20, maxLength: 200 }), (waits) => {
      let now = 0;
      let state = observe(newScaler(scale, now), sample, scale, now);
      let downs = 0;
      for (const wait of waits) {
        now += wait;
        const outcome = decideScale(scaleInputs(observe(state, sample, scale, now), sample, scale, now));
        if (outcome.action === 'scale-down') downs++;
        state = afterChange(observe(state, sample, scale, now), outcome, sample, scale, now);
        const budget = testGuards.flapBurst + (now / 3_600_000) * testGuards.flapPerHour;
        expect(downs).toBeLessThanOrEqual(budget + 1e-6);
      }
      expect(downs).toBeGreaterThan(0);
    }),
    { numRuns: 200 },
  );
});
