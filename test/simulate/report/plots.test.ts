import { expect, test } from 'vitest';
import { columnsOf } from '../../../src/simulate/report/plots.ts';
import { outcomeOf } from '../support/outcome.ts';

test('policies stand side by side on the same scales', () => {
  const other = outcomeOf('kpa');
  for (const point of other.services[0]?.series ?? []) point.ready *= 10;
  const columns = columnsOf([outcomeOf('pilotlight'), other]);
  expect(columns.map(({ heading, seconds }) => [heading, seconds])).toEqual([
    ['pilotlight', [0, 1]],
    ['kpa', [0, 1]],
  ]);
  expect(columns.map(({ plots }) => plots[0]?.most)).toEqual([21, 21]);
});

test('a decision is a mark with its reason and what the guards said, and a second without answers a gap', () => {
  const [column] = columnsOf([outcomeOf('pilotlight')]);
  expect(column?.plots[0]?.marks).toEqual([
    { second: 1.5, up: true, lines: ['1.5 s: scale-up 1→2: p95 900 ms over 500 ms', 'samples pass: 40 of 20'] },
  ]);
  expect(column?.plots[2]?.lines[0]?.values).toEqual([900, null]);
});
