import { PilotlightError } from '../../model/errors.ts';
import type { ScaleSettings } from '../../model/settings.ts';
import type { ScaleByHand } from '../../model/status.ts';

interface ByHandInputs {
  service: string;
  /** Replicas of our own that are there or coming. */
  from: number;
  to: number;
  scale: ScaleSettings;
  /** How many more the budget of all services allows; may be negative. */
  budgetLeft: number;
  dryRun: boolean;
}

/** What it comes to that an operator wants so many replicas. @throws SCALE_OUT_OF_BOUNDS */
export function scaleByHand({ service, from, to, scale, budgetLeft, dryRun }: ByHandInputs): ScaleByHand {
  const { min, max, guards } = scale;
  const least = Math.max(1, min);
  if (to !== 0 && (to < least || to > max)) {
    const message = `${service} has from ${least} (min) to ${max} (max) replicas, or 0 to sleep, not ${to}`;
    throw new PilotlightError('SCALE_OUT_OF_BOUNDS', message);
  }
  const room = Math.max(0, budgetLeft);
  const waiting = to - from - room;
  const limits =
    waiting > 0 ? [`the budget of all services has room for ${room} more: ${waiting} of ${to} will wait for it`] : [];
  return { service, from, to, min, max, limits, cooldownMs: to === 0 ? 0 : guards.cooldownMs, dryRun };
}
