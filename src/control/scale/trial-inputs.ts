import type { ScaleInputs } from './scale-inputs.ts';
import type { Before, Trial } from './trial.ts';

type TrialInputs = Pick<
  ScaleInputs,
  | 'trial'
  | 'trialMs'
  | 'trialFrom'
  | 'trialTo'
  | 'beforePerSecond'
  | 'beforeUsualPerSecond'
  | 'beforeGoodPerSecond'
  | 'beforeBursts'
  | 'beforeQuantileMs'
  | 'beforeLoad'
  | 'beforeSaturated'
  | 'trialConcurrency'
>;

const NUMBER_OF = { none: 0, starting: 1, judging: 2, lowered: 3, harmed: 4 } as const;

/** An experiment as the numbers that it is judged by. */
export function trialInputs(trial: Trial, now: number): TrialInputs {
  const before: Before =
    trial.state === 'none'
      ? {
          from: 0,
          to: 0,
          arrivals: 0,
          usual: 0,
          good: 0,
          bursts: 1,
          quantileMs: 0,
          load: 0,
          isSaturated: false,
          isForConcurrency: false,
        }
      : trial;
  return {
    trial: NUMBER_OF[trial.state],
    trialMs: trial.state === 'judging' ? now - trial.readyAt : 'at' in trial ? now - trial.at : 0,
    trialFrom: before.from,
    trialTo: before.to,
    beforePerSecond: before.arrivals,
    beforeUsualPerSecond: before.usual,
    beforeGoodPerSecond: before.good,
    ...(before.bursts > 1 && { beforeBursts: before.bursts }),
    beforeQuantileMs: before.quantileMs,
    beforeLoad: before.load,
    beforeSaturated: Number(before.isSaturated),
    trialConcurrency: Number(before.isForConcurrency),
  };
}
