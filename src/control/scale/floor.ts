import type { ExpectedCall } from './arrival-forecast.ts';
import type { ScheduleState } from './schedule.ts';

/** Fewest replicas that a service is to have now. */
export interface Floor {
  replicas: number;
  /** What asks for them. */
  cause: 'min' | 'group' | 'schedule' | 'expected';
  /** When that may be another number, the clock's ms; undefined: not by itself. */
  changesAt: number | undefined;
}

/**
 * The most that any of them asks for.
 * @param min `scale.min`
 * @param schedule undefined where there is none; its times are in `wall`
 * @param expected a call for which a replica is to be there
 * @param now the clock's ms, at the same moment as `wall`
 */
export function floorAt(
  now: number,
  wall: number,
  min: number,
  schedule: ScheduleState | undefined,
  expected: ExpectedCall | undefined,
): Floor {
  let floor: Floor = { replicas: min, cause: 'min', changesAt: undefined };
  if (schedule !== undefined) {
    floor.changesAt = now + schedule.changesAt - wall;
    if (schedule.min > floor.replicas) floor = { ...floor, replicas: schedule.min, cause: 'schedule' };
  }
  if (expected === undefined || now >= expected.untilAt) return floor;
  const isDue = now >= expected.fromAt;
  floor.changesAt = Math.min(floor.changesAt ?? Number.POSITIVE_INFINITY, isDue ? expected.untilAt : expected.fromAt);
  return isDue && floor.replicas < 1 ? { ...floor, replicas: 1, cause: 'expected' } : floor;
}
