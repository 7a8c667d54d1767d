import { parseDuration } from '../util/units.ts';
import type { Problem } from './problem.ts';

const DEFAULT_MS = 3_600_000;
const LONGEST_MS = 24 * 3_600_000;
const LONGEST_REASON = 200;

export const badFreeze: Problem = {
  status: 400,
  title: 'Bad request',
  code: 'BODY_INVALID',
  detail: 'a freeze lasts from 1s to 24h ("for": "30m", default 1h); "reason" has up to 200 printable characters',
};

/** What the body of a request to freeze asks for; undefined where it is not one. Empty: all by default. */
export function readFreeze(body: string): { forMs: number; reason: string | null } | undefined {
  let asked: unknown;
  try {
    asked = body === '' ? {} : JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof asked !== 'object' || asked === null) return undefined;
  const { for: text = null, reason = null } = asked as Record<string, unknown>;
  const forMs = text === null ? DEFAULT_MS : typeof text === 'string' ? parseDuration(text) : undefined;
  if (forMs === undefined || forMs < 1000 || forMs > LONGEST_MS) return undefined;
  if (reason === null) return { forMs, reason };
  const isPlain = typeof reason === 'string' && reason.length <= LONGEST_REASON && !/\p{C}/u.test(reason);
  return isPlain ? { forMs, reason } : undefined;
}
