import { expect, test } from 'vitest';
import { idleLines, scheduleLine } from '../../src/cli/idle-text.ts';
import type { IdleWhy } from '../../src/model/idle.ts';

const learnt: IdleWhy = {
  mode: 'learnt',
  keepMs: 42_000,
  weight: 150,
  standby: null,
  gaps: 128,
  siblingGaps: 1200,
  startMs: 1400,
  stopMs: 210,
  waitMs: 1600,
  raise: 1,
  forecast: null,
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
    siblingGaps: 0,
    startMs: null,
    stopMs: null,
    waitMs: null,
    expected: null,
  };
  expect(idleLines(young)[0]).toBe(
    'idle: kept for 42s (auto, weight 150: 1 gap known, too few to go by; no start seen yet)',
  );
  expect(idleLines(young)).toHaveLength(2);
  expect(idleLines({ ...young, siblingGaps: 812 })[0]).toContain(
    '1 gap known, too few to go by alone: also by 812 gaps of services like it; no start',
  );
  const fixed = idleLines({ ...learnt, mode: 'fixed', keepMs: 'never' });
  expect(fixed[0]).toBe('idle: never put to sleep (as configured)');
  expect(fixed[2]).toContain('42s with a weight of 150');
});

test('which calls were expected, and whether it is started ahead of the next one', () => {
  const window = { from: '2026-11-29T10:00:00.000Z', until: '2026-11-29T10:00:12.500Z' };
  const forecast = { right: 8.5, wrong: 0.4, isTrusted: true, refused: null, ...window };
  expect(idleLines({ ...learnt, forecast })[2]).toBe(
    '  of calls that were expected 8.5 came in time and 0.4 did not, lately; started ahead of the next one ' +
      '(2026-11-29 10:00:00 to 10:00:12 UTC)',
  );
  expect(idleLines({ ...learnt, forecast: { ...forecast, isTrusted: false } })[2]).toMatch(
    /lately; not started ahead of calls$/,
  );
  expect(idleLines({ ...learnt, forecast: { ...forecast, refused: '0 more within the memory budget' } })[2]).toMatch(
    /lately; not started ahead of the next one: 0 more within the memory budget$/,
  );
});

test('what the schedule asks for', () => {
  expect(scheduleLine({ min: 2, until: '2026-11-29T17:00:00.000Z', nextAt: '2026-11-30T07:00:00.000Z' })).toBe(
    'schedule: at least 2 replicas until 2026-11-29 17:00:00 UTC; the next window opens 2026-11-30 07:00:00 UTC',
  );
  expect(scheduleLine({ min: 0, until: null, nextAt: null })).toBe('schedule: no window is open');
});

test('that it is kept longer than it pays is told', () => {
  expect(idleLines({ ...learnt, raise: 2 })[1]).toContain('more than their share of the starts');
});
