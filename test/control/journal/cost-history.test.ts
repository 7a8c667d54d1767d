import { expect, test } from 'vitest';
import { CostHistory, costForm } from '../../../src/control/journal/cost-history.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOW = Date.UTC(2026, 10, 29, 12, 30);
const MOMENT = { now: 0, wall: NOW };

test('what was added counts from the hour of the moment on, and beyond two days from its day on', () => {
  const history = new CostHistory(NOW - 9 * DAY_MS);
  for (let at = NOW - 9 * DAY_MS; at <= NOW; at += HOUR_MS / 2) history.add(at, 'requests', 1);
  expect(history.sums(NOW - HOUR_MS).requests).toBe(4);
  expect(history.sums(0).requests).toBe(9 * 48 + 1);
  const fiveDays = history.sums(NOW - 5 * DAY_MS).requests;
  expect(fiveDays).toBeGreaterThanOrEqual(5 * 48);
  expect(fiveDays).toBeLessThanOrEqual(6 * 48 + 2);
});

test('after 90 days it is forgotten, and the file stays small', () => {
  const history = new CostHistory(NOW);
  for (let day = 0; day < 200; day++)
    for (let hour = 0; hour < 24; hour += 3)
      history.add(NOW + day * DAY_MS + hour * HOUR_MS, 'replicaSeconds', 1.23456789);
  const { replicaSeconds } = history.sums(0);
  expect(replicaSeconds).toBeGreaterThan(90 * 8 * 1.2);
  expect(replicaSeconds).toBeLessThan(94 * 8 * 1.3);
  expect(costForm.encode(history, MOMENT).length).toBeLessThan(20_000);
});

test('what is kept is what was known', () => {
  const history = new CostHistory(NOW - DAY_MS);
  history.add(NOW - 4 * DAY_MS, 'memoryMiBSeconds', 5);
  history.add(NOW, 'cpuSeconds', 0.25);
  const again = costForm.decode(costForm.encode(history, MOMENT), MOMENT);
  if (typeof again === 'string') throw new Error(again);
  expect(again.sums(0)).toEqual(history.sums(0));
  expect(again.begunAt).toBe(NOW - DAY_MS);
});

test('rubbish is of no use, and says why', () => {
  const decode = (text: string) => costForm.decode(text, MOMENT);
  expect(decode('{')).toBe('it is no JSON');
  expect(decode('7')).toBe('it is no JSON object');
  expect(decode('{"version":3}')).toBe('it is of version 3, not 2');
  const span = [NOW, ...new Array(12).fill(1)];
  const file = (change: object) => JSON.stringify({ version: 2, begunAt: 1, hours: [span], days: [], ...change });
  expect(decode(file({}))).toBeInstanceOf(CostHistory);
  for (const change of [
    { begunAt: -1 },
    { hours: 3 },
    { hours: [span.slice(1)] },
    { days: [[...span.slice(1), null]] },
    { days: new Array(1000).fill(span) },
  ])
    expect(decode(file(change))).toBe('its sums are not as they were written');
});

test('what the version before kept counts on, without what it did not know', () => {
  const span = [NOW, ...new Array(10).fill(1)];
  const history = costForm.decode(JSON.stringify({ version: 1, begunAt: 1, hours: [span], days: [] }), MOMENT);
  if (typeof history === 'string') throw new Error(history);
  expect(history.sums(0)).toMatchObject({ replicaSeconds: 1, fixedWakes: 1, pausedSeconds: 0, resumes: 0 });
});
