import { expect, test } from 'vitest';
import { floorAt } from '../../../src/control/scale/floor.ts';
import { Schedule } from '../../../src/control/scale/schedule.ts';

const at = (iso: string) => Date.parse(iso);
const HOUR_MS = 3_600_000;
const office = { from: '0 8 * * mon-fri', forMs: 10 * HOUR_MS, timeZone: 'Europe/Berlin', min: 2 };

test('a window is open from its time on, for as long as it is to be', () => {
  const schedule = new Schedule([office]);
  // A Friday in winter: 8:00 in Berlin is 7:00.
  expect(schedule.at(at('2026-11-27T06:59:59Z'), 0)).toMatchObject({ min: 0, changesAt: at('2026-11-27T07:00:00Z') });
  expect(schedule.at(at('2026-11-27T07:00:00Z'), 0)).toMatchObject({ min: 2, until: at('2026-11-27T17:00:00Z') });
  expect(schedule.at(at('2026-11-27T16:59:59Z'), 0)).toMatchObject({ min: 2, changesAt: at('2026-11-27T17:00:00Z') });
  expect(schedule.at(at('2026-11-27T17:00:00Z'), 0)).toMatchObject({ min: 0, until: undefined });
  expect(schedule.at(at('2026-11-28T09:00:00Z'), 0).min).toBe(0);
  expect(schedule.opensAfter(at('2026-11-28T09:00:00Z'))).toBe(at('2026-11-30T07:00:00Z'));
});

test('it follows the local time over a change to summer time and back', () => {
  const schedule = new Schedule([{ ...office, from: '0 8 * * *' }]);
  expect(schedule.opensAfter(at('2026-03-28T12:00:00Z'))).toBe(at('2026-03-29T06:00:00Z'));
  expect(schedule.opensAfter(at('2026-10-24T12:00:00Z'))).toBe(at('2026-10-25T07:00:00Z'));
  // 2:30 is left out on one day and comes twice on another: the window opens once on each.
  const night = new Schedule([{ ...office, from: '30 2 * * *', forMs: HOUR_MS }]);
  const opens = (from: string, until: string) => {
    const times: string[] = [];
    for (let wall = at(from); ; ) {
      wall = night.opensAfter(wall) ?? Number.POSITIVE_INFINITY;
      if (wall >= at(until)) return times;
      times.push(new Date(wall).toISOString());
    }
  };
  expect(opens('2026-03-28T12:00:00Z', '2026-03-29T12:00:00Z')).toHaveLength(1);
  expect(opens('2026-10-24T12:00:00Z', '2026-10-25T12:00:00Z')).toHaveLength(1);
});

test('it opens as much earlier as a start takes', () => {
  const schedule = new Schedule([office]);
  expect(schedule.at(at('2026-11-27T06:59:50Z'), 15_000)).toMatchObject({ min: 2, until: at('2026-11-27T17:00:00Z') });
  expect(schedule.at(at('2026-11-27T06:59:40Z'), 15_000)).toMatchObject({
    min: 0,
    changesAt: at('2026-11-27T06:59:45Z'),
  });
});

test('of windows that are open together the one with most replicas counts', () => {
  const noon = { ...office, from: '0 12 * * *', forMs: HOUR_MS, min: 3 };
  const schedule = new Schedule([noon, office]);
  expect(schedule.at(at('2026-11-27T11:30:00Z'), 0)).toMatchObject({ min: 3, changesAt: at('2026-11-27T12:00:00Z') });
  expect(schedule.at(at('2026-11-27T12:00:00Z'), 0).min).toBe(2);
});

test('the floor is the most that anything asks for, and says when that changes', () => {
  const scheduled = { min: 2, until: 1_005_000, changesAt: 1_005_000 };
  expect(floorAt(0, 1_000_000, 1, undefined, undefined)).toEqual({ replicas: 1, cause: 'min', changesAt: undefined });
  expect(floorAt(0, 1_000_000, 1, scheduled, undefined)).toEqual({ replicas: 2, cause: 'schedule', changesAt: 5000 });
  expect(floorAt(0, 1_000_000, 3, scheduled, undefined)).toMatchObject({ replicas: 3, cause: 'min' });
  const expected = { fromAt: 1000, untilAt: 3000 };
  expect(floorAt(0, 0, 0, undefined, expected)).toEqual({ replicas: 0, cause: 'min', changesAt: 1000 });
  expect(floorAt(1000, 0, 0, undefined, expected)).toEqual({ replicas: 1, cause: 'expected', changesAt: 3000 });
  expect(floorAt(3000, 0, 0, undefined, expected)).toEqual({ replicas: 0, cause: 'min', changesAt: undefined });
});
