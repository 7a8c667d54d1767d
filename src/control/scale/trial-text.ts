import { formatDuration } from '../../util/units.ts';
import type { ScaleOutcome } from './scaler.ts';
import type { TrialVerdict } from './trial-verdict.ts';

/** Whether a change is an experiment whose outcome is told later. */
export function isTrial({ kind }: ScaleOutcome): boolean {
  return kind !== undefined && kind !== 'growth' && kind !== 'undo' && kind !== 'restore';
}

/**
 * What came of an experiment, in one line; undefined while it goes on.
 * @param freezeMs for how long there is no increase now, ms
 */
export function trialText(
  judged: TrialVerdict,
  { action, kind }: Pick<ScaleOutcome, 'action' | 'kind'>,
  freezeMs: number,
): string | undefined {
  // What is to be undone or restored, and is not yet, is no end.
  if (action === 'none' && (kind === 'undo' || kind === 'restore')) return undefined;
  switch (judged.verdict) {
    case 'wait':
      return undefined;
    case 'ended':
      return `not judged: ${judged.why}`;
    case 'helped':
      return `helped: ${judged.what}`;
    case 'open':
      return `kept: ${judged.what}`;
    case 'no-benefit': {
      const undone = kind === 'undo' ? 'undone, ' : '';
      return `no benefit: ${judged.what}; ${undone}no increase for ${formatDuration(Math.round(freezeMs / 1000) * 1000)}`;
    }
    case 'untold':
      return `undone: ${judged.what}`;
    case 'held':
      return `held: ${judged.what}`;
    case 'harmed':
      return `revoked: ${judged.what}`;
  }
}
