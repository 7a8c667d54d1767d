import { expect, test } from 'vitest';
import { isSaturatedBy, type SaturationSigns } from '../../../src/control/scale/saturation.ts';
import { testGuards } from '../support/settings.ts';

/** A hundred requests a second, of which sixty are answered: forty more are in flight each second. */
const behind: SaturationSigns = {
  overMs: 3000,
  arrivals: 100,
  dueArrivals: 100,
  answers: 60,
  shed: 0,
  load: 130,
  loadBefore: 10,
  calmLoad: 10,
  oldestMs: 1500,
};

const isSaturated = (change: Partial<SaturationSigns>) => isSaturatedBy({ ...behind, ...change }, 1000, testGuards);

test('a service is saturated whose answers fall behind what arrives while what is in flight grows', () => {
  expect(isSaturated({})).toBe(true);
});

test.each<[string, Partial<SaturationSigns>]>([
  ['nine of ten are answered in time', { answers: 90 }],
  ['what arrived one answer ago is answered: it is the arrivals that grow', { dueArrivals: 60 }],
  ['nothing is slow', { oldestMs: 1000 }],
  ['no more is in flight than twice the usual', { load: 60, calmLoad: 30, loadBefore: 10 }],
  ['what is in flight grows by less than a tenth of the arrivals', { load: 139, loadBefore: 110 }],
  ['what is in flight becomes less', { load: 130, loadBefore: 200 }],
])('not saturated: %s', (_why, change) => {
  expect(isSaturated(change)).toBe(false);
});

test('what is in flight is held against one request at least, however calm it was', () => {
  const few = { arrivals: 7, dueArrivals: 7, answers: 1, loadBefore: 0, calmLoad: 0.01 };
  expect(isSaturated({ ...few, load: 4 })).toBe(true);
  expect(isSaturated({ ...few, load: 2 })).toBe(false);
});

test('over five times as long under half of it tells as much', () => {
  // Of 1500 requests 78 are missing.
  const slowly = { overMs: 15_000, answers: 94.8, load: 80, loadBefore: 10, calmLoad: 10 };
  expect(isSaturated(slowly)).toBe(true);
  expect(isSaturated({ ...slowly, overMs: 3000 })).toBe(false);
  expect(isSaturated({ ...slowly, answers: 94.9 })).toBe(false);
  expect(isSaturated({ ...slowly, loadBefore: 13 })).toBe(false);
});

test('of few requests more must be missing than may be by chance', () => {
  const few = { arrivals: 10, dueArrivals: 10, load: 20, loadBefore: 5, calmLoad: 1 };
  // Of thirty that arrived in three seconds eleven are as many as chance can make late.
  expect(isSaturated({ ...few, answers: 19 / 3 })).toBe(true);
  expect(isSaturated({ ...few, answers: 20 / 3 })).toBe(false);
});

test('of few that are in flight more must be new than may be by chance', () => {
  const few = { arrivals: 10, dueArrivals: 10, answers: 3, load: 25, calmLoad: 1 };
  expect(isSaturated({ ...few, loadBefore: 15 })).toBe(true);
  expect(isSaturated({ ...few, loadBefore: 15.1 })).toBe(false);
});

test('over five percent turned away is saturated, however quick the answers are', () => {
  const quick = { answers: 95, load: 10, loadBefore: 10, oldestMs: 0 };
  expect(isSaturated({ ...quick, shed: 5 })).toBe(false);
  expect(isSaturated({ ...quick, shed: 5.1 })).toBe(true);
});

test.each([
  ['by answers', {}],
  ['by what is turned away', { shed: 3 }],
])('a few requests a second saturate nothing by chance: %s', (_by, change) => {
  const all = { dueArrivals: 7, answers: 0, load: 100, ...change };
  expect(isSaturated({ ...all, arrivals: 6.6 })).toBe(false);
  expect(isSaturated({ ...all, arrivals: 6.7 })).toBe(true);
});
