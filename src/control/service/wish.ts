import { isSaturated } from '../scale/scale-inputs.ts';
import { decideScale } from '../scale/scaler.ts';
import type { ScaleDecision } from '../scale/service-scaler.ts';
import type { TrialVerdict } from '../scale/trial-verdict.ts';

/** What the last increase that was judged has shown of a service, under its present `run`. */
export type Standing =
  /** None was. */
  'untried' | 'helped' | 'refuted';

export function nextStanding(standing: Standing, { verdict }: TrialVerdict): Standing {
  if (verdict === 'helped') return 'helped';
  return verdict === 'no-benefit' ? 'refuted' : standing;
}

/**
 * How many replicas scaling would have if others had fewer; undefined where it is not the budget that keeps it back, or
 * where it has no right to what others have: one more has shown not to help, and no more is asked of it than then.
 */
export function wishOf({ outcome, inputs }: ScaleDecision, standing: Standing): number | undefined {
  const isShort = outcome.verdicts.some(({ guard, verdict }) => guard === 'budget' && verdict !== 'pass');
  if (!isShort) return undefined;
  const { action, kind, to } = decideScale({ ...inputs, budgetLeft: inputs.max });
  if (action !== 'scale-up') return undefined;
  const isFarMore = isSaturated(inputs) && inputs.arrivalsPerSecond >= inputs.freezeLiftPerSecond;
  return kind === 'restore' || standing !== 'refuted' || isFarMore ? to : undefined;
}
