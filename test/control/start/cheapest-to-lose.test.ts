import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AgedStake, cheapestToLose, lossText } from '../../../src/control/start/cheapest-to-lose.ts';

interface Given {
  memoryMiB?: number;
  callsPerHour?: number;
  startMs?: number;
  age?: number;
  mayGoAt?: number | undefined;
  isSpare?: boolean;
}

function stake(service: string, given: Given = {}): AgedStake {
  const { memoryMiB = 100, callsPerHour = 1, startMs = 1000, age = 0, isSpare = false } = given;
  const mayGoAt = 'mayGoAt' in given ? given.mayGoAt : 0;
  const holder = { ordinal: 1, name: `${service}-1`, memoryMiB, state: 'used', mayGoAt, isSpare } as const;
  const known = { needMiB: memoryMiB, isMeasured: true, startMs, callsPerHour, usedAt: 0 };
  return { service, age, stake: { ...known, holders: [holder] } };
}

const names = (stakes: AgedStake[], missing: number, now = 0, except?: string) =>
  cheapestToLose(stakes, missing, now, except).map(({ service }) => service);

test('the one goes first that is called least, starts soonest or takes most', () => {
  expect(names([stake('often', { callsPerHour: 9 }), stake('seldom', { callsPerHour: 0.1 })], 50)).toEqual(['seldom']);
  expect(names([stake('slow', { startMs: 9000 }), stake('quick', { startMs: 100 })], 50)).toEqual(['quick']);
  expect(names([stake('small', { memoryMiB: 60 }), stake('large', { memoryMiB: 900 })], 50)).toEqual(['large']);
});

test('what was of worth long ago ages', () => {
  const old = stake('old', { callsPerHour: 9 });
  expect(names([old, stake('new', { age: 1 })], 50)).toEqual(['old']);
  expect(names([old, stake('new', { age: 0.01 })], 50)).toEqual(['new']);
});

test('further replicas of an idle service cost nobody a start', () => {
  expect(
    names([stake('seldom', { callsPerHour: 0.1 }), stake('spare', { callsPerHour: 9, isSpare: true })], 50),
  ).toEqual(['spare']);
});

test('nobody goes that may not, not yet, or for whom it is done', () => {
  const stakes = [stake('a', { mayGoAt: undefined }), stake('b', { mayGoAt: 10 }), stake('c')];
  expect(names(stakes, 500, 9)).toEqual(['c']);
  expect(names(stakes, 500, 10, 'c')).toEqual(['b']);
});

test('as few go as make the room, the cheapest of them, and all where that is not enough', () => {
  const memory = fc.integer({ min: 1, max: 500 });
  const given = fc.record({ memoryMiB: memory, callsPerHour: fc.double({ min: 0.01, max: 3600, noNaN: true }) });
  fc.assert(
    fc.property(fc.array(given, { maxLength: 12 }), fc.integer({ min: 1, max: 2000 }), (all, missing) => {
      const stakes = all.map((each, index) => stake(`s${index}`, each));
      const losses = cheapestToLose(stakes, missing, 0, undefined);
      const freed = losses.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
      const total = all.reduce((sum, { memoryMiB }) => sum + memoryMiB, 0);
      if (total < missing) expect(losses).toHaveLength(all.length);
      else expect(freed).toBeGreaterThanOrEqual(missing);
      // Without any of them it would not be enough.
      for (const { memoryMiB } of losses) if (total >= missing) expect(freed - memoryMiB).toBeLessThan(missing);
      expect(losses.map(({ worth }) => worth)).toEqual(losses.map(({ worth }) => worth).toSorted((a, b) => a - b));
    }),
    { numRuns: 200 },
  );
});

test('it reads well', () => {
  const loss = (change: object) => ({
    ...{ service: 'shop', ordinal: 2, name: 'shop-2', memoryMiB: 127.6, startMs: 412, callsPerHour: 0.31, worth: 1 },
    ...change,
  });
  expect(lossText(loss({}))).toBe('cheapest to lose (128 MiB, wakes 0.3 an hour, start 0.4 s)');
  expect(lossText(loss({ callsPerHour: 61.7 }))).toBe('cheapest to lose (128 MiB, wakes 62 an hour, start 0.4 s)');
});
