import { expect, test } from 'vitest';
import { ArrivalForecast } from '../../../src/control/scale/arrival-forecast.ts';
import { AutoKeep } from '../../../src/control/scale/auto-keep.ts';

const HOUR_MS = 3_600_000;
const costs = { startMs: 1000, stopMs: 200, waitMs: 1000, weight: 150 };

/** When the next call is expected after activities that began then. */
function expectedAfter(...beganAt: number[]) {
  const forecast = new ArrivalForecast();
  for (const at of beganAt) forecast.began(at, costs);
  return forecast.expected;
}

/** A service that is called then, for a second each. */
function called(beganAt: readonly number[], isMissed = false): AutoKeep {
  const auto = new AutoKeep(undefined);
  auto.saw('startMs', 1000);
  beganAt.forEach((at, i) => {
    if (i > 0) auto.idled(at - (beganAt[i - 1] as number) - 1000, 1, at, 150, isMissed);
  });
  return auto;
}

const hourly = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i * HOUR_MS);

test('what comes every hour is expected an hour after it came last, with time to start', () => {
  expect(expectedAfter(...hourly(5))).toEqual({ fromAt: 5 * HOUR_MS - 2000, untilAt: 5 * HOUR_MS + 1000 });
});

test('a few calls say nothing, and no more do calls of which no two are alike', () => {
  expect(expectedAfter(...hourly(4))).toBeUndefined();
  expect(expectedAfter(...Array.from({ length: 16 }, (_, i) => 60_000 * 1.6 ** i))).toBeUndefined();
});

test('of two lengths that alternate the longer one is expected, after which nothing comes in vain', () => {
  const at = [0];
  for (let i = 0; i < 16; i++) at.push((at.at(-1) as number) + (i % 2 === 0 ? 30_000 : HOUR_MS));
  const { fromAt = 0, untilAt = 0 } = expectedAfter(...at) ?? {};
  const last = at.at(-1) as number;
  // What comes after the short one finds it kept, or waits: a window for that would be in vain every other time.
  expect([fromAt - last, untilAt - last]).toEqual([HOUR_MS - 2000, HOUR_MS + 1000]);
});

test('it is acted on only after forecasts that were right', () => {
  const plan = (count: number) => called(hourly(count)).plan((count - 1) * HOUR_MS + 1000, 150);
  expect(plan(6).expected).toBeUndefined();
  expect(plan(6).keepMs).toBe(151_000);
  expect(plan(12).expected?.untilAt).toBe(12 * HOUR_MS + 1000);
  expect(plan(12).keepMs).toBe(1000);
});

test('what would sleep for no longer than a stop and a start take is kept until the call', () => {
  const expectedWith = (startMs: number) => {
    const auto = new AutoKeep(undefined);
    auto.saw('startMs', startMs);
    for (let i = 1; i < 15; i++) auto.idled(19_000, 1, i * 20_000, 10);
    return auto.plan(281_000, 10).expected;
  };
  // Idle for 18 s before the call may come, of which it is kept for one: a start of 8 s leaves 9 to sleep, one of 9 s 8.
  expect(expectedWith(8000)).toBeDefined();
  expect(expectedWith(9000)).toBeUndefined();
});

test('calls that stay away end it, and so do calls that wait all the same', () => {
  const at = hourly(12);
  const late = called([
    ...at,
    13 * HOUR_MS,
    14.6 * HOUR_MS,
    17.3 * HOUR_MS,
    22 * HOUR_MS,
    30 * HOUR_MS,
    32.9 * HOUR_MS,
  ]);
  expect(late.learnt.forecast.isTrusted).toBe(false);
  expect(called(hourly(30), true).learnt.forecast.isTrusted).toBe(false);
  expect(called(hourly(30)).learnt.forecast.isTrusted).toBe(true);
});

test('while wakes take more than their share of the starts, nothing is started ahead', () => {
  const auto = called(hourly(20));
  expect(auto.plan(19 * HOUR_MS + 1000, 150, 1).expected).toBeDefined();
  expect(auto.plan(19 * HOUR_MS + 1000, 150, 2).expected).toBeUndefined();
});
