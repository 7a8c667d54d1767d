import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DemandInputs, wantedReplicas } from '../../src/control/scale/demand.ts';
import { observe } from '../../src/control/scale/observe.ts';
import { isShort, type ScaleInputs } from '../../src/control/scale/scale-inputs.ts';
import {
  afterChange,
  afterVerdict,
  decideScale,
  newScaler,
  type ScaleOutcome,
  type ScalerState,
  type ScaleSample,
  scaleInputs,
} from '../../src/control/scale/scaler.ts';
import { judgeTrial } from '../../src/control/scale/trial.ts';
import {
  allowance,
  blockedUntil,
  type CircuitEvent,
  newCircuit,
  nextCircuit,
} from '../../src/control/start/circuit.ts';
import type { ScaleSettings } from '../../src/model/settings.ts';
import { testInputs, testSample } from '../control/support/scale-inputs.ts';
import { testGuards, testScale } from '../control/support/settings.ts';

const count = (max: number) => fc.integer({ min: 0, max });
const rate = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1000, noNaN: true }));
const ms = (max: number) => fc.double({ min: 0, max, noNaN: true });
const often = <T>(usual: T, other: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: other });

const measured = fc.record({
  frozen: often(0, fc.constant(1)),
  ready: fc.integer({ min: 1, max: 20 }),
  starting: often(0, count(5)),
  min: fc.integer({ min: 1, max: 3 }),
  max: fc.integer({ min: 3, max: 20 }),
  budgetLeft: fc.integer({ min: -5, max: 20 }),
  concurrency: fc.constantFrom(0, 1, 5, 50),
  samples: often(500, count(300)),
  windowMs: ms(300_000),
  quantile: fc.constantFrom(0.5, 0.95, 0.99),
  overTicks: count(6),
  saturatedTicks: often(0, count(6)),
  arrivalsPerSecond: rate,
  goodPerSecond: rate,
  shedPerSecond: rate,
  load: rate,
  loadBefore: rate,
  calmLoad: rate,
  shedShare: often(0, ms(1)),
  errorsShare: often(0, ms(1)),
  helps: count(1),
  sinceUpMs: ms(100_000),
  sinceChangeMs: ms(100_000),
  cooldownLeftMs: often(0, fc.constant(1000)),
  freezeLeftMs: often(0, ms(1_800_000)),
  freezePerSecond: rate,
  downCoveredMs: often(600_000, ms(600_000)),
  calmMs: often(600_000, ms(600_000)),
  enoughMs: often(0, ms(2_400_000)),
  peakPerSecond: rate,
  downWaitMs: often(0, ms(600_000)),
  flapTokens: ms(4),
});

const trial = fc
  .record({
    trial: count(4),
    trialMs: often(60_000, ms(400_000)),
    lower: fc.integer({ min: 1, max: 15 }),
    more: fc.integer({ min: 1, max: 8 }),
    beforePerSecond: rate,
    beforeGoodPerSecond: rate,
    beforeQuantileMs: ms(5000),
    beforeSaturated: count(1),
    trialConcurrency: count(1),
    trialWarm: often(1, fc.constant(0)),
  })
  .map(({ lower, more, ...known }) =>
    known.trial === 3
      ? { ...known, trialFrom: lower + 1, trialTo: lower }
      : { ...known, trialFrom: lower, trialTo: lower + more },
  );

/** What may be unknown. */
const unknown = fc.record(
  {
    quantileMs: ms(3000),
    lateQuantileMs: ms(3000),
    capacityPerSecond: rate,
    carriers: count(30),
    failedPerSecond: rate,
    startsAllowed: count(2),
  },
  { requiredKeys: [] },
);

/** Anything that can be measured, of any experiment, as it may be at any moment of it. */
const inputs: fc.Arbitrary<ScaleInputs> = fc
  .tuple(measured, trial, unknown, fc.boolean())
  .map(([known, experiment, some, isThere]) => {
    const { quantileMs: _, lateQuantileMs: __, ...constants } = testInputs;
    const all = { ...constants, ...known, ...experiment, ...some };
    // As many as the experiment left, often enough.
    return isThere && all.trial !== 0 ? { ...all, ready: all.trialTo, starting: 0 } : all;
  });

const isUp = (kind: ScaleOutcome['kind']) => kind === 'latency' || kind === 'shed' || kind === 'concurrency';

/** An increase has helped before, or the present one just did. */
const isProved = (given: ScaleInputs) => given.helps === 1 || judgeTrial(given).verdict === 'helped';

function holds(property: (given: ScaleInputs, outcome: ScaleOutcome) => void, numRuns = 3000) {
  fc.assert(
    fc.property(inputs, (given) => property(given, decideScale(given))),
    { numRuns },
  );
}

test('a decision made again from its entry in the log is the same, and so is what the experiment showed', () => {
  holds((given, outcome) => {
    const entry = { at: '', service: 's', dryRun: false, ...outcome, inputs: given };
    const read = JSON.parse(JSON.stringify(entry)).inputs;
    expect(decideScale(read)).toEqual(outcome);
    expect(judgeTrial(read)).toEqual(judgeTrial(given));
  });
});

test('no decision leaves the bounds of max, budget, circuit and min', () => {
  holds((given, { action, from, to }) => {
    expect(from).toBe(given.ready + given.starting);
    if (action === 'scale-up') {
      expect(to).toBeGreaterThan(from);
      expect(to).toBeLessThanOrEqual(given.max);
      expect(to - from).toBeLessThanOrEqual(given.budgetLeft);
      expect(to - from).toBeLessThanOrEqual(given.startsAllowed ?? Number.POSITIVE_INFINITY);
    } else if (action === 'scale-down') {
      expect(to).toBeLessThan(from);
      expect(to).toBeGreaterThanOrEqual(given.min);
    } else {
      expect(to).toBe(from);
    }
  }, 10_000);
});

test('frozen, or changed by hand a moment ago, nothing changes', () => {
  holds((given) => {
    expect(decideScale({ ...given, frozen: 1 }).action).toBe('none');
    expect(decideScale({ ...given, cooldownLeftMs: 1 }).action).toBe('none');
  });
});

test('an increase without benefit is undone, and a decrease that did harm is taken back, exactly, within the bounds', () => {
  holds((given, { action, kind, from, to, verdicts, reason }) => {
    if (action === 'none') return;
    if (kind === 'undo') {
      expect(given.trial).toBe(2);
      const { verdict } = judgeTrial(given);
      expect(['no-benefit', 'untold']).toContain(verdict);
      const before = Math.max(given.min, given.trialFrom);
      // With what was in vain goes what was before it and did no more.
      if (verdict === 'no-benefit' && reason.includes('no more than with')) expect(to).toBeLessThan(before);
      else expect(to).toBe(before);
      expect(to).toBeGreaterThanOrEqual(given.min);
      expect(from).toBeGreaterThan(to);
    }
    if (kind === 'restore') {
      expect(given.trial).toBe(3);
      expect(judgeTrial(given).verdict).toBe('harmed');
      if (verdicts.every(({ verdict }) => verdict === 'pass')) expect(to).toBe(given.trialFrom);
      expect(to).toBeLessThanOrEqual(given.trialFrom);
    }
  }, 10_000);
});

test('no further increase while one is judged, unless its experiment has ended', () => {
  holds((given, { action, kind }) => {
    if ((given.trial === 1 || given.trial === 2) && action === 'scale-up') {
      expect(isUp(kind)).toBe(true);
      expect(['helped', 'ended', 'open']).toContain(judgeTrial(given).verdict);
    }
  }, 10_000);
});

test('one fewer at a time, without any experiment, while the latency is low, and not against what was learnt', () => {
  holds((given, { action, kind, from, to }) => {
    if (action !== 'scale-down' || kind !== 'down') return;
    expect(to).toBe(from - 1);
    if (given.trial !== 0) expect(['helped', 'ended', 'open', 'held']).toContain(judgeTrial(given).verdict);
    expect(given.saturatedTicks).toBe(0);
    expect(given.quantileMs ?? Number.POSITIVE_INFINITY).toBeLessThan(given.downBelow * given.aboveMs);
    expect(given.peakPerSecond).toBeLessThan(given.downPeak * (given.failedPerSecond ?? Number.POSITIVE_INFINITY));
    expect(given.downWaitMs).toBe(0);
    expect(given.flapTokens).toBeGreaterThanOrEqual(1);
  }, 10_000);
});

test('only a service that is saturated, or gets more than its replicas can do, and whose replicas have proved to help gets several at once by capacity', () => {
  holds((given, { action, kind, from, to }) => {
    if (action !== 'scale-up' || kind === 'concurrency' || kind === 'restore') return;
    if (given.saturatedTicks === 0 && !isShort({ ...given, helps: Number(isProved(given)) }, from)) {
      expect(to).toBeLessThanOrEqual(Math.max(from + 1, given.carriers ?? 0));
      return;
    }
    if (!isProved(given) || given.capacityPerSecond === undefined) expect(to).toBe(from + 1);
    expect(to).toBeLessThanOrEqual(Math.max(from + 1, given.stepUp * given.ready));
  });
});

test('what a replica can do says nothing of how many a service needs that gets no more than they can do', () => {
  holds((given, { action, kind }) => {
    if (given.saturatedTicks > 0 || kind !== 'latency' || action === 'none') return;
    if (isShort({ ...given, helps: Number(isProved(given)) }, given.ready + given.starting)) return;
    const { capacityPerSecond: _, ...others } = given;
    expect(decideScale(others)).toEqual(decideScale(given));
  });
});

test('without samples only saturation and concurrency ask for more, and nothing for less', () => {
  holds((given) => {
    const { quantileMs: _, lateQuantileMs: __, ...others } = { ...given, samples: 0, trial: 0 };
    const { action, kind } = decideScale(others);
    if (action === 'none') return;
    expect(action).toBe('scale-up');
    expect(kind === 'concurrency' || given.saturatedTicks > 0).toBe(true);
  });
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
    fc.option(rate).map((capacity) => (capacity === null ? known : { ...known, capacityPerSecond: capacity })),
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

/** Decides once, and carries it out. */
function tick(state: ScalerState, sample: ScaleSample, scale: ScaleSettings, now: number) {
  const seen = observe(state, sample, scale, now);
  const inputs = scaleInputs(seen, sample, scale, now);
  const outcome = decideScale(inputs);
  const judged = afterVerdict(seen, judgeTrial(inputs), inputs, scale, now);
  return { outcome, state: afterChange(judged, outcome, inputs, scale, now) };
}

test('decreases after which more is needed soon stay within their allowance over any time, whatever happens', () => {
  const guards = { ...testGuards, stepDownEveryMs: 0, downWindowMs: 1, failedForMs: 1, downRetryMs: 1, ticks: 1 };
  const scale = { ...testScale, guards, max: 10 };
  const moments = fc.array(fc.tuple(fc.integer({ min: 1, max: 120_000 }), fc.boolean()), {
    minLength: 50,
    maxLength: 300,
  });
  let mostFlaps = 0;
  fc.assert(
    fc.property(moments, (all) => {
      let now = 0;
      let state = newScaler(scale, now);
      let ready = 3;
      let flaps = 0;
      let loweredAt: number | undefined;
      for (const [wait, isSlow] of all) {
        now += wait;
        const quantileMs = isSlow ? 5000 : 10;
        const sample = { ...testSample, ready, quantileMs, lateQuantileMs: quantileMs };
        const next = tick(state, sample, scale, now);
        state = next.state;
        const { action, kind, to } = next.outcome;
        if (action === 'scale-up' && loweredAt !== undefined) {
          if (now - loweredAt < guards.flapWithinMs) flaps++;
          loweredAt = undefined;
        }
        if (action === 'scale-down' && kind === 'down') loweredAt = now;
        ready = to;
        expect(flaps).toBeLessThanOrEqual(guards.flapBurst + (now / 3_600_000) * guards.flapPerHour + 1e-6);
      }
      mostFlaps = Math.max(mostFlaps, flaps);
    }),
    { numRuns: 200 },
  );
  expect(mostFlaps).toBeGreaterThan(guards.flapBurst);
});
