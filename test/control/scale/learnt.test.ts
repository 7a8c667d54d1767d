import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AutoAbove, newAutoAbove, withCalm } from '../../../src/control/scale/auto-above.ts';
import { type Evidence, eachManages, faded, noEvidence, type Seen } from '../../../src/control/scale/evidence.ts';
import { type Frozen, notFrozen } from '../../../src/control/scale/frozen.ts';
import {
  decodeLearnt,
  encodeLearnt,
  LEARNT_MAX_AGE_MS,
  type Learnt,
  ofRun,
} from '../../../src/control/scale/learnt.ts';
import { bucketOf, type SparseCounts } from '../../../src/util/histogram.ts';
import { testGuards } from '../support/settings.ts';

const WALL = Date.UTC(2026, 10, 29);
const HOUR = 3_600_000;
/** Clocks of two processes: nothing about them is the same but the wall. */
const before = { now: 5 * HOUR, wall: WALL };
const after = { now: 1000, wall: WALL };
const noAuto: AutoAbove = newAutoAbove(0.95, WALL);

const perhaps = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const seen = {
  perSecond: fc.double({ min: 0, max: 1e9, noNaN: true }),
  at: fc.integer({ min: -HOUR, max: before.now }),
};
/** By number of replicas; the last is known, as where nothing is the list ends. */
const byReplicas = <T>(value: fc.Arbitrary<T>) =>
  fc
    .array(perhaps(value), { maxLength: 30 })
    .map((all) => all.slice(0, all.findLastIndex((each) => each !== undefined) + 1));
const evidence: fc.Arbitrary<Evidence> = fc.record({
  capacity: perhaps(fc.record({ ...seen, answers: fc.nat(1e6) })),
  carried: byReplicas(fc.record(seen)),
  failed: byReplicas(fc.record({ ...seen, forMs: fc.nat(HOUR) })),
  helps: fc.boolean(),
});
/** Any that came about by reports. */
const auto: fc.Arbitrary<AutoAbove | undefined> = fc.option(
  fc
    .array(
      fc.tuple(
        fc.nat(2 * HOUR),
        fc.double({ min: 0, max: 1e7, noNaN: true }),
        fc.integer({ min: 1, max: 500 }).filter((count) => count > 0),
      ),
      { maxLength: 60 },
    )
    .map((reports) => {
      let now = WALL - 200 * HOUR;
      return reports.reduce(
        (state, [laterMs, ms, count]) => {
          now += laterMs;
          return withCalm(state, [bucketOf(ms), count] as SparseCounts, testGuards, now);
        },
        newAutoAbove(0.95, now),
      );
    }),
  { nil: undefined },
);
const frozen: fc.Arbitrary<Frozen> = fc.option(
  fc.record({
    until: fc.integer({ min: -HOUR, max: before.now + HOUR }),
    count: fc.integer({ min: 1, max: 20 }),
    arrivals: fc.double({ min: 0, max: 1e9, noNaN: true }),
    liftedAt: fc.double({ min: 0, max: 1e9, noNaN: true }),
  }),
  { nil: notFrozen },
);
const anything: fc.Arbitrary<Learnt> = fc.record({ run: fc.string({ maxLength: 12 }), evidence, frozen, auto });

/** The same, with the times of evidence as ages. */
function aged({ run, evidence: { capacity, carried, failed, helps }, frozen: held, auto: kept }: Learnt, now: number) {
  const age = <T extends Seen>(each: T | undefined) => each && { ...each, at: Math.round(now - each.at) };
  const leftMs = held.until - now;
  return {
    run,
    frozen: { ...held, until: leftMs },
    capacity: age(capacity),
    carried: carried.map(age),
    failed: failed.map(age),
    helps,
    auto: kept,
  };
}

function decoded(text: string, moment = after): Learnt {
  const learnt = decodeLearnt(text, moment);
  if (typeof learnt === 'string') throw new Error(learnt);
  return learnt;
}

describe('what was learnt', () => {
  test('is read as it was written, whatever it is', () => {
    fc.assert(
      fc.property(anything, (learnt) => {
        const text = encodeLearnt(learnt, before);
        expect(aged(decoded(text), after.now)).toEqual(aged(learnt, before.now));
        // And is of bounded size.
        expect(text.length).toBeLessThan(100_000);
      }),
    );
  });

  test('fades while no process runs', () => {
    const capacity = { perSecond: 80, answers: 100, at: before.now };
    const text = encodeLearnt(
      { run: 'a', evidence: { ...noEvidence, capacity }, frozen: notFrozen, auto: undefined },
      before,
    );
    const later = { now: 1000, wall: WALL + HOUR };
    expect(faded(decoded(text, later).evidence.capacity as Seen, testGuards, later.now)).toBeCloseTo(40);
  });

  test('lies in no future, where the clock was set back meanwhile', () => {
    const capacity = { perSecond: 80, answers: 100, at: before.now };
    const text = encodeLearnt(
      { run: 'a', evidence: { ...noEvidence, capacity }, frozen: notFrozen, auto: undefined },
      before,
    );
    const earlier = { now: 1000, wall: WALL - HOUR };
    expect(faded(decoded(text, earlier).evidence.capacity as Seen, testGuards, earlier.now)).toBe(80);
  });

  test('of another run leaves its evidence behind, and keeps the threshold', () => {
    const known = withCalm(noAuto, [bucketOf(200), 100], testGuards, WALL);
    const learnt: Learnt = { run: 'a', evidence: { ...noEvidence, helps: true }, frozen: notFrozen, auto: known };
    expect(ofRun(learnt, 'a', WALL)).toEqual(learnt);
    const other = ofRun({ ...learnt, frozen: { ...notFrozen, count: 1 } }, 'b', WALL);
    expect(other.frozen).toBe(notFrozen);
    expect(other).toMatchObject({ run: 'b', evidence: noEvidence, auto: { lowLoadMs: known.lowLoadMs, spans: [] } });
  });

  test.each([
    ['nothing', '', 'it is no JSON'],
    [
      'half of it',
      encodeLearnt({ run: 'a', evidence: noEvidence, frozen: notFrozen, auto: noAuto }, before).slice(0, 60),
      'it is no JSON',
    ],
    ['another version', '{"version":1}', 'it is of version 1, not 2'],
    ['a list', '[]', '"version" is not as it was written'],
    ['a freeze without sense', textWith({ frozen: [-1, 1, 1, 1] }), '"frozen" is not as it was written'],
    ['a threshold without sense', textWith({ auto: { ...noAuto, lowLoadMs: -1 } }), '"lowLoadMs" is not as'],
    ['more than is ever written', textWith({ carried: Array(1001).fill([1, 1, 1]) }), '"carried" is not as'],
    [
      'counts out of order',
      textWith({ auto: { ...noAuto, lowLoadMs: 1, counts: [5, 1, 4, 1] } }),
      '"counts" is not as',
    ],
  ])('is not used where the file has %s', (_what, text, why) => {
    expect(decodeLearnt(text, after)).toContain(why);
  });

  test('is not used after a week', () => {
    const text = encodeLearnt({ run: 'a', evidence: noEvidence, frozen: notFrozen, auto: noAuto }, before);
    const at = (ageMs: number) => decodeLearnt(text, { now: 0, wall: WALL + ageMs });
    expect(at(LEARNT_MAX_AGE_MS)).toMatchObject({ run: 'a' });
    expect(at(LEARNT_MAX_AGE_MS + 1)).toBe('it is too old');
  });

  test('never throws, whatever a file says', () => {
    const broken = fc.oneof(
      fc.string(),
      fc.json(),
      fc.record({ version: fc.constant(1), at: fc.constant(WALL) }).map((value) => JSON.stringify(value)),
      // Any part of a good one replaced by anything.
      fc.tuple(anything, fc.nat(), fc.jsonValue()).map(([learnt, index, other]) => {
        const file = JSON.parse(encodeLearnt(learnt, before));
        const keys = Object.keys(file);
        return JSON.stringify({ ...file, [keys[index % keys.length] as string]: other });
      }),
      fc.tuple(anything, fc.nat(), fc.nat(), fc.string({ maxLength: 3 })).map(([learnt, at, cut, put]) => {
        const text = encodeLearnt(learnt, before);
        const from = at % text.length;
        return text.slice(0, from) + put + text.slice(from + (cut % 5));
      }),
    );
    fc.assert(
      fc.property(broken, (text) => {
        const learnt = decodeLearnt(text, after);
        if (typeof learnt === 'string') return;
        // What is read can be worked with.
        const known = learnt.auto ?? noAuto;
        expect(() => withCalm(known, [bucketOf(20), 200], testGuards, WALL)).not.toThrow();
        expect(eachManages(learnt.evidence, testGuards, after.now) ?? 0).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });
});

function textWith(change: object): string {
  return JSON.stringify({
    ...JSON.parse(encodeLearnt({ run: 'a', evidence: noEvidence, frozen: notFrozen, auto: noAuto }, before)),
    ...change,
  });
}
