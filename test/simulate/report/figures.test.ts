import { expect, test } from 'vitest';
import { figureRows } from '../../../src/simulate/report/figures.ts';
import { outcomeOf } from '../support/outcome.ts';

test('a policy is a row, with shares of what arrived', () => {
  expect(figureRows([outcomeOf('kpa')])).toEqual([['kpa', '2', '2', '1', '3', '1', '2 (10 %)', '0', '0', '900ms']]);
});
