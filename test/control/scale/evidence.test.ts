import { expect, test } from 'vitest';
import {
  carriersOf,
  eachManages,
  eachTakes,
  faded,
  failedAt,
  noEvidence,
  withCapacity,
  withCarried,
  withFailed,
  withTooFew,
} from '../../../src/control/scale/evidence.ts';
import { testGuards } from '../support/settings.ts';

const HOUR = 3_600_000;

test('nothing is known of a new service', () => {
  expect(noEvidence.capacity).toBeUndefined();
  expect(eachManages(noEvidence, testGuards, 0)).toBeUndefined();
  expect(carriersOf(noEvidence, 1, 0, testGuards, 0)).toBeUndefined();
  expect(failedAt(noEvidence, 1, 0)).toBeUndefined();
});

/** What so many answers per second and replica come to that were seen for so long, by default for very long. */
const done = (perSecond: number, overMs = 1e15) => ({ replicas: 1, goodPerSecond: perSecond, overMs });

test('capacity is the most that was seen of a replica, and fades by half in an hour', () => {
  const low = withCapacity(noEvidence, done(40), testGuards, 0);
  const high = withCapacity(low, done(50), testGuards, 0);
  expect(withCapacity(high, done(45), testGuards, 1000)).toBe(high);
  expect(high.capacity?.perSecond).toBeCloseTo(50);
  expect(faded({ perSecond: 50, at: 0 }, testGuards, HOUR)).toBeCloseTo(25);
  // By then forty are the most again.
  expect(withCapacity(high, done(40), testGuards, HOUR).capacity?.perSecond).toBeCloseTo(40);
});

test('capacity is what was seen less its standard error, of all replicas together', () => {
  const two = withCapacity(noEvidence, { replicas: 2, goodPerSecond: 50, overMs: 2000 }, testGuards, 0);
  expect(two.capacity?.perSecond).toBe(22.5);
  expect(withCapacity(noEvidence, done(0), testGuards, 0)).toBe(noEvidence);
});

test('what a few answers made too much by luck, many more make less, and no further than luck goes', () => {
  // A hundred answers in two seconds, and then hundreds.
  const lucky = withCapacity(noEvidence, done(50, 2000), testGuards, 0);
  expect(lucky.capacity).toEqual({ perSecond: 45, answers: 100, at: 0 });
  const known = withCapacity(lucky, done(40, 10_000), testGuards, 1000);
  expect(known.capacity).toEqual({ perSecond: 38, answers: 400, at: 1000 });
  expect(withCapacity(lucky, done(20, 100_000), testGuards, 1000).capacity?.perSecond).toBeCloseTo(0.7 * 45);
  // Not many more, or of a moment.
  expect(withCapacity(lucky, done(40, 9000), testGuards, 1000)).toBe(lucky);
  expect(withCapacity(lucky, { replicas: 10, goodPerSecond: 400, overMs: 4900 }, testGuards, 1000)).toBe(lucky);
});

test('a few answers do not make more of what is known of many, unless it is far more', () => {
  const known = withCapacity(noEvidence, done(50, 100_000), testGuards, 0);
  expect(withCapacity(known, done(60, 2000), testGuards, 0)).toBe(known);
  expect(withCapacity(known, done(80, 2000), testGuards, 0).capacity?.perSecond).toBeCloseTo(61, 0);
});

test('the fewest replicas that carried as much are told, of those that are more than there are', () => {
  let evidence = withCarried(noEvidence, 1, 40, testGuards, 0);
  evidence = withCarried(evidence, 3, 120, testGuards, 0);
  evidence = withCarried(evidence, 5, 130, testGuards, 0);
  expect(carriersOf(evidence, 30, 0, testGuards, 0)).toBe(1);
  expect(carriersOf(evidence, 30, 1, testGuards, 0)).toBe(3);
  expect(carriersOf(evidence, 125, 0, testGuards, 0)).toBe(5);
  expect(carriersOf(evidence, 131, 0, testGuards, 0)).toBeUndefined();
  // What was carried long ago is carried no more, as far as is known.
  expect(carriersOf(evidence, 30, 0, testGuards, HOUR)).toBe(3);
});

test('what was carried is the most of it', () => {
  const evidence = withCarried(withCarried(noEvidence, 2, 80, testGuards, 0), 2, 60, testGuards, 0);
  expect(carriersOf(evidence, 80, 1, testGuards, 0)).toBe(2);
});

test('so many that are slow at fewer arrivals carry no more than these, and neither do fewer of them', () => {
  let evidence = withCarried(noEvidence, 1, 40, testGuards, 0);
  evidence = withCarried(evidence, 2, 80, testGuards, 0);
  evidence = withCarried(evidence, 3, 120, testGuards, 0);
  const dearer = withTooFew(evidence, 2, 30);
  expect([1, 2, 3].map((n) => dearer.carried[n]?.perSecond)).toEqual([30, 30, 120]);
  // That they are slow at more than they ever carried is no news.
  expect(withTooFew(evidence, 2, 90)).toBe(evidence);
});

test('one replica manages its capacity, or what each of several carried with ease', () => {
  const carried = withCarried(noEvidence, 2, 80, testGuards, 0);
  expect(eachManages(carried, testGuards, 0)).toBe(40);
  expect(eachManages(withCapacity(carried, done(50), testGuards, 0), testGuards, 0)).toBeCloseTo(50);
  expect(eachManages(withCapacity(carried, done(30), testGuards, 0), testGuards, 0)).toBe(40);
});

test('of what so few were not enough for, the least is known, for an hour', () => {
  let evidence = withFailed(noEvidence, 2, 130, undefined, testGuards, 0);
  evidence = withFailed(evidence, 2, 150, undefined, testGuards, 1000);
  expect(failedAt(evidence, 2, 2000)).toBe(130);
  evidence = withFailed(evidence, 2, 120, undefined, testGuards, 2000);
  expect(failedAt(evidence, 2, 2000)).toBe(120);
  expect(failedAt(evidence, 1, 2000)).toBeUndefined();
  expect(failedAt(evidence, 2, 2000 + HOUR - 1)).toBe(120);
  expect(failedAt(evidence, 2, 2000 + HOUR)).toBeUndefined();
  // What is forgotten is no reason not to learn it again.
  const again = withFailed(evidence, 2, 130, undefined, testGuards, 3000 + HOUR);
  expect(failedAt(again, 2, 3000 + HOUR)).toBe(130);
});

test('that so many were too few, though they should have done, is believed for as long as until the next try, doubled each time', () => {
  const { downRetryMs } = testGuards;
  const once = withFailed(noEvidence, 3, 130, 50, testGuards, 0);
  expect(failedAt(once, 3, downRetryMs - 1)).toBe(130);
  expect(failedAt(once, 3, downRetryMs)).toBeUndefined();
  const again = withFailed(once, 3, 130, 50, testGuards, downRetryMs);
  expect(failedAt(again, 3, 3 * downRetryMs - 1)).toBe(130);
  expect(failedAt(again, 3, 3 * downRetryMs)).toBeUndefined();
  // That they are too few for more than they can do is no surprise.
  expect(failedAt(withFailed(noEvidence, 3, 151, 50, testGuards, 0), 3, HOUR - 1)).toBe(151);
  expect(failedAt(withFailed(noEvidence, 3, 130, undefined, testGuards, 0), 3, HOUR - 1)).toBe(130);
});

test('what so few carry now they are enough for, and so are more of them', () => {
  let evidence = withFailed(noEvidence, 1, 60, undefined, testGuards, 0);
  evidence = withFailed(evidence, 2, 100, undefined, testGuards, 0);
  evidence = withFailed(evidence, 3, 160, undefined, testGuards, 0);
  const carried = withCarried(evidence, 2, 120, testGuards, 0);
  expect([1, 2, 3].map((n) => failedAt(carried, n, 0))).toEqual([60, undefined, 160]);
});

test('what each takes goes by where as many or fewer were too few, and by capacity once more have helped', () => {
  let evidence = withFailed(noEvidence, 1, 15, undefined, testGuards, 0);
  expect(eachTakes(evidence, 3, testGuards, 0)).toBeCloseTo(14.25);
  evidence = withFailed(evidence, 2, 36, undefined, testGuards, 0);
  expect(eachTakes(evidence, 3, testGuards, 0)).toBeCloseTo(17.1);
  expect(eachTakes(evidence, 1, testGuards, 0)).toBeCloseTo(14.25);
  expect(eachTakes(evidence, 3, testGuards, HOUR)).toBeUndefined();
  evidence = withCapacity(evidence, done(16), testGuards, 0);
  expect(eachTakes(evidence, 3, testGuards, 0)).toBeCloseTo(17.1);
  expect(eachTakes({ ...evidence, helps: true }, 3, testGuards, 0)).toBeCloseTo(14.4);
  expect(eachTakes(noEvidence, 3, testGuards, 0)).toBeUndefined();
});
