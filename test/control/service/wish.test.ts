import { expect, test } from 'vitest';
import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { decideScale } from '../../../src/control/scale/scaler.ts';
import { judgeTrial } from '../../../src/control/scale/trial.ts';
import { afterDecision, noWish, wishAt } from '../../../src/control/service/wish.ts';
import { saturatedInputs } from '../support/scale-inputs.ts';

/** What it would have of the budget of others, of which nothing is left. */
function wished(change: Partial<ScaleInputs>, standing: 'helped' | 'refuted' = 'refuted'): number | undefined {
  const inputs: ScaleInputs = { ...saturatedInputs, freezePerSecond: 193, freezeLiftPerSecond: 290, ...change };
  const outcome = decideScale({ ...inputs, budgetLeft: 0 });
  const decision = { outcome, inputs: { ...inputs, budgetLeft: 0 }, verdict: judgeTrial(inputs) };
  return wishAt(afterDecision({ ...noWish, standing }, decision, 0, 1000), 1000);
}

test('after an increase that did not help nothing of others is wished for, unless far more is asked for', () => {
  expect(wished({ freezeLiftPerSecond: 291 }, 'helped')).toBeGreaterThan(2);
  expect(wished({ freezeLiftPerSecond: 291 })).toBeUndefined();
  expect(wished({})).toBeGreaterThan(2);
});

test('what came at once from clients who stood still is no more than before, and takes nothing from others', () => {
  expect(wished({ latelyPerSecond: 200 })).toBeUndefined();
  expect(wished({ latelyPerSecond: 200 }, 'helped')).toBeGreaterThan(2);
});
