import { parseDuration } from '../util/units.ts';
import type { Problem } from './problem.ts';
import { readMembers } from './read-members.ts';

const DEFAULT_MS = 3_600_000;
const LONGEST_MS = 24 * 3_600_000;
const LONGEST_REASON = 200;
/** What a body without content says. */
const NOTHING = '{}';

export const badFreeze: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'BODY_INVALID',
  detail:
    'a freeze lasts from 1s to 24h ("for": "30m", default 1h); "reason" has up to 200 printable characters; with "dryRun": true it is only told',
};

export const badUnfreeze: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'BODY_INVALID',
  detail: 'the body is empty, or {"dryRun": true} to be told only',
};

interface FreezeAsked {
  forMs: number;
  reason: string | null;
  dryRun: boolean;
}

/** What the body of a request to freeze asks for; undefined where it is not one. Empty: all by default. */
export function readFreeze(body: string): FreezeAsked | undefined {
  const asked = readMembers(body || NOTHING);
  if (asked === undefined) return undefined;
  const { for: text = null, reason = null, dryRun = false } = asked;
  const forMs = text === null ? DEFAULT_MS : typeof text === 'string' ? parseDuration(text) : undefined;
  if (forMs === undefined || forMs < 1000 || forMs > LONGEST_MS || typeof dryRun !== 'boolean') return undefined;
  if (reason === null) return { forMs, reason, dryRun };
  const isPlain = typeof reason === 'string' && reason.length <= LONGEST_REASON && !/\p{C}/u.test(reason);
  return isPlain ? { forMs, reason, dryRun } : undefined;
}

/** As {@link readFreeze}, of the end of one. */
export function readUnfreeze(body: string): Pick<FreezeAsked, 'dryRun'> | undefined {
  const { dryRun = false } = readMembers(body || NOTHING) ?? { dryRun: null };
  return typeof dryRun === 'boolean' ? { dryRun } : undefined;
}
