import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { newScaler, type ScaleSample, scaleInputs } from '../../../src/control/scale/scaler.ts';
import { testScale } from './settings.ts';

/** Two replicas that answer forty requests a second with ease, measured for a long time. */
export const testSample: ScaleSample = {
  frozen: false,
  ready: 2,
  starting: 0,
  isWarm: true,
  isSteady: true,
  aboveMs: 1000,
  lowLoadMs: undefined,
  min: 1,
  max: 10,
  budgetLeft: 20,
  budgetFacts: {},
  startsAllowed: Number.POSITIVE_INFINITY,
  samples: 500,
  quantileMs: 100,
  windowMs: 15_000,
  lateQuantileMs: 100,
  arrivals: 40,
  dueArrivals: 40,
  usualArrivals: 40,
  usualAnswers: 40,
  trend: undefined,
  shed: 0,
  errors: 0,
  answers: 40,
  goodLately: 40,
  arrivalsLately: 40,
  goodSince: 40,
  goodSinceMs: 15_000,
  load: 2,
  loadBefore: 2,
  longer: { overMs: 15_000, arrivals: 40, dueArrivals: 40, answers: 40, loadBefore: 2 },
  oldestMs: 50,
  usualMs: 50,
  queued: 0,
  downCoveredMs: 600_000,
  peak: 40,
  latePeak: 40,
};

/** What a decision of that service rests on: nothing asks for a change. */
export const testInputs: ScaleInputs = scaleInputs(newScaler(testScale, 0), testSample, testScale, 0);

/** Over the threshold for long enough, with nothing against one more. */
export const slowInputs: ScaleInputs = { ...testInputs, quantileMs: 1500, lateQuantileMs: 1500, overTicks: 3 };

/** Asked for three times as much as it can do; what it can do is known. */
export const saturatedInputs: ScaleInputs = {
  ...slowInputs,
  saturatedTicks: 3,
  arrivalsPerSecond: 300,
  latelyPerSecond: 300,
  goodPerSecond: 100,
  load: 400,
  loadBefore: 50,
  calmLoad: 10,
  capacityPerSecond: 50,
  helps: 1,
};

/** Quiet for the whole window. */
export const quietInputs: ScaleInputs = { ...testInputs, calmMs: 300_000 };

/** An increase from two to three, made when the service was slow, which is to be judged now. */
export const judgedInputs: ScaleInputs = {
  ...slowInputs,
  ready: 3,
  trial: 2,
  trialMs: 30_000,
  trialFrom: 2,
  trialTo: 3,
  beforePerSecond: 40,
  beforeUsualPerSecond: 40,
  beforeGoodPerSecond: 40,
  beforeQuantileMs: 1500,
};

/** The same, made when it was saturated. */
export const judgedSaturated: ScaleInputs = {
  ...judgedInputs,
  saturatedTicks: 30,
  beforeSaturated: 1,
  load: 500,
  loadBefore: 500,
  beforeLoad: 500,
  arrivalsPerSecond: 2000,
  latelyPerSecond: 2000,
  goodPerSecond: 1000,
  trialGoodPerSecond: 1000,
  beforePerSecond: 2000,
  beforeUsualPerSecond: 2000,
  beforeGoodPerSecond: 1000,
};

/** A decrease from two to one that has been watched for its whole time. */
export const loweredInputs: ScaleInputs = {
  ...testInputs,
  ready: 1,
  trial: 3,
  trialMs: 60_000,
  trialFrom: 2,
  trialTo: 1,
  beforePerSecond: 40,
  beforeUsualPerSecond: 40,
  beforeGoodPerSecond: 40,
  beforeQuantileMs: 90,
};
