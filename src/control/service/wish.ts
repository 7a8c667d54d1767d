import { isFarMore } from '../scale/scale-inputs.ts';
import { decideScale } from '../scale/scaler.ts';
import type { ScaleDecision } from '../scale/service-scaler.ts';

/** What scaling would have of the budget that others have, and whether it has a right to that. Plain data. */
export interface Wish {
  /** What the last increase that was judged has shown, under the present `run`. */
  standing: 'untried' | 'helped' | 'refuted';
  /** Replicas of our own. */
  to: number;
  /** It counts until then, the clock's ms. */
  until: number;
}

/** A wish is remembered for so long, ms: a moment without it is no end. */
const WISH_MS = 15_000;

export const noWish: Wish = { standing: 'untried', to: 0, until: Number.NEGATIVE_INFINITY };

/** Replicas of our own that are wished for; undefined: no more than there are. */
export function wishAt({ to, until }: Wish, now: number): number | undefined {
  return now < until ? to : undefined;
}

/** @param external endpoints that others run, which the decision counts too */
export function afterDecision(before: Wish, decision: ScaleDecision, external: number, now: number): Wish {
  const standing = standingAfter(before, decision);
  const to = wishedBy(decision, standing);
  if (to !== undefined) return { standing, to: to - external, until: now + WISH_MS };
  return { ...before, standing, ...(decision.outcome.action !== 'none' && { until: now }) };
}

function standingAfter({ standing }: Wish, { verdict: { verdict } }: ScaleDecision): Wish['standing'] {
  if (verdict === 'helped') return 'helped';
  return verdict === 'no-benefit' ? 'refuted' : standing;
}

/**
 * How many replicas the scaler would have if others had fewer; undefined where it is not the budget that keeps it back,
 * or where it has no right to what others have: one more has shown not to help, and no more is asked of it than then.
 */
function wishedBy({ outcome, inputs }: ScaleDecision, standing: Wish['standing']): number | undefined {
  const isShort = outcome.verdicts.some(({ guard, verdict }) => guard === 'budget' && verdict !== 'pass');
  if (!isShort) return undefined;
  const { action, kind, to } = decideScale({ ...inputs, budgetLeft: inputs.max });
  if (action !== 'scale-up') return undefined;
  return kind === 'restore' || standing !== 'refuted' || isFarMore(inputs) ? to : undefined;
}
