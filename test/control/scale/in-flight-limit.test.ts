import { expect, test } from 'vitest';
import { withInFlightLimit } from '../../../src/control/scale/in-flight-limit.ts';
import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { newScaler, type ScalerState } from '../../../src/control/scale/scaler.ts';
import { saturatedInputs } from '../support/scale-inputs.ts';
import { testScale } from '../support/settings.ts';

const fresh = { ...newScaler(testScale, 0), calmEach: 0.4 };
/** Most per replica while a further one is started; undefined: no bound. */
const limit = (change: Partial<ScaleInputs>, state: ScalerState = fresh, queued = 0) =>
  withInFlightLimit(state, { ...saturatedInputs, ...change }, queued, 200).inFlightLimit;

test('the bound is what a replica answers within the threshold and a usual answer, from the first saturated tick', () => {
  expect(limit({ saturatedTicks: 1 })).toBe(60);
  expect(limit({ saturatedTicks: 1, goodPerSecond: 200 })).toBe(120);
});

test('the bound is no less than twice what it had when calm, and one', () => {
  expect(limit({}, { ...fresh, calmEach: 50 })).toBe(100);
  expect(limit({ goodPerSecond: 0, capacityPerSecond: 0 })).toBe(1);
});

test.each<[string, Partial<ScaleInputs>]>([
  ['is not saturated', { saturatedTicks: 0 }],
  ['turns requests away itself', { shedShare: 0.1 }],
  ['has as many replicas as it may', { max: 2 }],
  ['finds no room in the budget', { budgetLeft: 0 }],
  ['is frozen', { frozen: 1 }],
  ['was changed by hand', { cooldownLeftMs: 1 }],
  ['was not helped by the last one', { freezeLeftMs: 1 }],
  ['may start none after failures', { startsAllowed: 0 }],
])('no bound is set for a service that %s', (_what, change) => {
  expect(limit(change)).toBeUndefined();
});

test('the bound never falls while it stands, and is lifted once nothing waits for the new replica', () => {
  const limited = { ...fresh, inFlightLimit: 80 };
  expect(limit({}, limited, 5)).toBe(80);
  expect(limit({ trial: 1 }, limited, 0)).toBe(80);
  expect(limit({ trial: 2 }, limited, 5)).toBe(80);
  expect(limit({ trial: 2 }, limited, 0)).toBeUndefined();
  expect(limit({ trial: 1, saturatedTicks: 0 }, limited, 0)).toBeUndefined();
});

test('without a calm moment to go by nothing is held back: answers may take long, or clients poll', () => {
  expect(limit({}, newScaler(testScale, 0))).toBeUndefined();
});

test('a bound under which less is answered than before it is too low: answers have become slower, not more', () => {
  const limited = { ...fresh, inFlightLimit: 80 };
  expect(limit({ goodPerSecond: 78 }, limited, 5)).toBe(160);
  expect(limit({ goodPerSecond: 80 }, limited, 5)).toBe(80);
  // Those that came a moment ago have had little to do.
  expect(limit({ goodPerSecond: 78, trial: 2, trialMs: 3999 }, limited, 5)).toBe(80);
  expect(limit({ goodPerSecond: 78, trial: 2, trialMs: 4000 }, limited, 5)).toBe(160);
});
