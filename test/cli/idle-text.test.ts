import { expect, test } from 'vitest';
import { idleLines } from '../../src/cli/idle-text.ts';
import type { IdleWhy } from '../../src/model/idle.ts';

const learnt: IdleWhy = {
  mode: 'learnt',
  keepMs: 42_000,
  weight: 150,
  standby: null,
  gaps: 128,
  startMs: 1400,
  stopMs: 210,
  waitMs: 1600,
  raise: 1,
  expected: {
    kept: { idleMs: 38_000, wakesMs: 3100, wakes: 0.015 },
    atOnce: { idleMs: 200, wakesMs: 241_400, wakes: 1 },
    never: { idleMs: 640_000, wakesMs: 0, wakes: 0 },
  },
  byWeight: [
    { weight: 15, keepMs: 1000 },
    { weight: 150, keepMs: 42_000 },
    { weight: 1500, keepMs: 200_000 },
  ],
};

test('how long it is kept, what both sides cost, and what another weight would do', () => {
  expect(idleLines(learnt)).toEqual([
    'idle: kept for 42s (auto, weight 150: 128 gaps known; a start takes 1.4s; a stop 210ms; 1.6s are waited per wake)',
    '  a gap costs on average 38s of an idle replica and 3.1s for wakes (1.5 % of the gaps); put to sleep at once 4m 2s, never 10m 40s',
    '  auto would keep it for 1s with a weight of 15, 3m 20s with a weight of 1500',
  ]);
});

test('what is not known is not told, and what is fixed is compared with auto', () => {
  const young: IdleWhy = {
    ...learnt,
    mode: 'learning',
    gaps: 1,
    startMs: null,
    stopMs: null,
    waitMs: null,
    expected: null,
  };
  expect(idleLines(young)[0]).toBe(
    'idle: kept for 42s (auto, weight 150: 1 gap known, too few to go by; no start seen yet)',
  );
  expect(idleLines(young)).toHaveLength(2);
  const fixed = idleLines({ ...learnt, mode: 'fixed', keepMs: 'never' });
  expect(fixed[0]).toBe('idle: never put to sleep (as configured)');
  expect(fixed[2]).toContain('42s with a weight of 150');
});

test('that it is kept longer than it pays is told', () => {
  expect(idleLines({ ...learnt, raise: 2 })[1]).toContain('more than their share of the starts');
});
