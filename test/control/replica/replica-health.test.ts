import { expect, test } from 'vitest';
import { nextHealth, type ReplicaHealth, sickAfter, well } from '../../../src/control/replica/replica-health.ts';

/** The health after looks at these times, ms; negative: it was healthy then. */
const after = (looks: number[]) =>
  looks.reduce<ReplicaHealth>((health, at) => nextHealth(health, at >= 0, Math.abs(at), sickAfter(5000)), well);

test('what stays unhealthy for three intervals is sick', () => {
  expect(after([1000])).toEqual({ state: 'unhealthy', since: 1000 });
  expect(after([1000, 6000, 15_999])).toEqual({ state: 'unhealthy', since: 1000 });
  expect(after([1000, 6000, 16_000])).toEqual({ state: 'sick', since: 1000 });
  expect(after([1000, 16_000, 40_000])).toEqual({ state: 'sick', since: 1000 });
});

test('what is healthy in between begins anew, and what is sick may get well', () => {
  expect(after([1000, -6000, 7000, 20_000])).toEqual({ state: 'unhealthy', since: 7000 });
  expect(after([1000, 16_000, -17_000])).toEqual(well);
});
