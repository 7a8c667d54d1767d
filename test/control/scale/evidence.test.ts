import { expect, test } from 'vitest';
import {
  capacityAt,
  carriersOf,
  eachManages,
  eachTakes,
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
  expect(capacityAt(noEvidence, testGuards, 0)).toBeUndefined();
  expect(eachManages(noEvidence, testGuards, 0)).toBeUndefined();
  expect(carriersOf(noEvidence, 1, 0, testGuards, 0)).toBeUndefined();
  expect(failedAt(noEvidence, 1, testGuards, 0)).toBeUndefined();
});

test('capacity is the most that was seen of a replica, and fades by half in an hour', () => {
  const low = withCapacity(noEvidence, 40, testGuards, 0);
  const high = withCapacity(low, 50, testGuards, 0);
  expect(capacityAt(withCapacity(high, 45, testGuards, 1000), testGuards, 0)).toBe(50);
  expect(capacityAt(high, testGuards, HOUR)).toBeCloseTo(25);
  // By then forty are the most again.
  expect(capacityAt(withCapacity(high, 40, testGuards, HOUR), testGuards, HOUR)).toBe(40);
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
  expect(eachManages(withCapacity(carried, 50, testGuards, 0), testGuards, 0)).toBe(50);
  expect(eachManages(withCapacity(carried, 30, testGuards, 0), testGuards, 0)).toBe(40);
});

test('of what so few were not enough for, the least is known, for an hour', () => {
  let evidence = withFailed(noEvidence, 2, 130, testGuards, 0);
  evidence = withFailed(evidence, 2, 150, testGuards, 1000);
  expect(failedAt(evidence, 2, testGuards, 2000)).toBe(130);
  evidence = withFailed(evidence, 2, 120, testGuards, 2000);
  expect(failedAt(evidence, 2, testGuards, 2000)).toBe(120);
  expect(failedAt(evidence, 1, testGuards, 2000)).toBeUndefined();
  expect(failedAt(evidence, 2, testGuards, 2000 + HOUR - 1)).toBe(120);
  expect(failedAt(evidence, 2, testGuards, 2000 + HOUR)).toBeUndefined();
  // What is forgotten is no reason not to learn it again.
  const again = withFailed(evidence, 2, 130, testGuards, 3000 + HOUR);
  expect(failedAt(again, 2, testGuards, 3000 + HOUR)).toBe(130);
});

test('what so few carry now they are enough for, and so are more of them', () => {
  let evidence = withFailed(noEvidence, 1, 60, testGuards, 0);
  evidence = withFailed(evidence, 2, 100, testGuards, 0);
  evidence = withFailed(evidence, 3, 160, testGuards, 0);
  const carried = withCarried(evidence, 2, 120, testGuards, 0);
  expect([1, 2, 3].map((n) => failedAt(carried, n, testGuards, 0))).toEqual([60, undefined, 160]);
});

test('what each takes goes by where as many or fewer were too few, and by capacity once more have helped', () => {
  let evidence = withFailed(noEvidence, 1, 15, testGuards, 0);
  expect(eachTakes(evidence, 3, testGuards, 0)).toBeCloseTo(14.25);
  evidence = withFailed(evidence, 2, 36, testGuards, 0);
  expect(eachTakes(evidence, 3, testGuards, 0)).toBeCloseTo(17.1);
  expect(eachTakes(evidence, 1, testGuards, 0)).toBeCloseTo(14.25);
  expect(eachTakes(evidence, 3, testGuards, HOUR)).toBeUndefined();
  evidence = withCapacity(evidence, 16, testGuards, 0);
  expect(eachTakes(evidence, 3, testGuards, 0)).toBeCloseTo(17.1);
  expect(eachTakes({ ...evidence, helps: true }, 3, testGuards, 0)).toBeCloseTo(14.4);
  expect(eachTakes(noEvidence, 3, testGuards, 0)).toBeUndefined();
});
