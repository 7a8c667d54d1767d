import type { LatencyThreshold } from '../model/threshold.ts';
import { percent } from '../util/format.ts';
import { formatDuration } from '../util/units.ts';

/** From when on a service counts as slow, and how that is known, in a line. */
export function thresholdText({ aboveMs, quantile, source, lowLoadMs, missing }: LatencyThreshold): string {
  const slow = `slow is p${percent(quantile)} over ${formatDuration(aboveMs)}`;
  if (source === 'configured') return slow;
  if (lowLoadMs !== null) return `${slow} (auto: ${formatDuration(lowLoadMs)} at low load)`;
  if (missing === null) return `${slow} (auto: nothing is learnt with a max of 1)`;
  return `${slow} (auto: known after ${missing} more request${missing === 1 ? '' : 's'} at low load)`;
}
