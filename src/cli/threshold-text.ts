import type { LatencyThreshold } from '../model/threshold.ts';
import { percent } from '../util/format.ts';
import { formatDuration } from '../util/units.ts';

/** From when on a service counts as slow, and how that is known, in a line. */
export function thresholdText({ aboveMs, quantile, source, lowLoadMs }: LatencyThreshold): string {
  const slow = `slow is p${percent(quantile)} over ${formatDuration(aboveMs)}`;
  if (source === 'configured') return slow;
  if (lowLoadMs === null) return `${slow} (auto: nothing was learnt yet)`;
  return `${slow} (auto: ${formatDuration(lowLoadMs)} at low load)`;
}
