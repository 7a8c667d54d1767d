import { type BackoffOptions, backoffDelay } from '../../util/backoff.ts';

/**
 * Where the order of one host's certificate stands. Times are ms since the epoch. What there is of a certificate is
 * served in all of them.
 */
export type Phase =
  /** There is a certificate: it is renewed at `renewAt`, and the authority asked for its advice at `askAt`. */
  | { name: 'served'; renewAt: number; askAt: number }
  /** The authority is asked when to renew. */
  | { name: 'asking'; renewAt: number }
  /** An order is placed, the hold over the host proven, the certificate fetched. `failures`: in a row, before this. */
  | { name: 'ordering' | 'proving' | 'finishing'; failures: number }
  /** It came to nothing so many times in a row, at last at `since`; it is tried again at `until`. */
  | { name: 'backing-off'; failures: number; since: number; until: number; why: string };

export type Event =
  /** Time has passed. */
  | { type: 'due' }
  | { type: 'ordered' }
  | { type: 'proven' }
  | { type: 'issued'; life: Life }
  /** Advice on the renewal: any moment of it; and when to ask again, ms from now. */
  | { type: 'advised'; life: Life; window: { start: number; end: number } | undefined; againMs: number | undefined }
  | { type: 'failed'; why: string; retryAfterMs: number | undefined }
  /** Somebody who may have mended the cause wants it tried again. `isOther`: it is ordered otherwise from now on. */
  | { type: 'hurry'; isOther: boolean };

/** When a certificate is valid, ms since the epoch. */
export interface Life {
  notBefore: number;
  notAfter: number;
}

/** What came to nothing before, as it is kept over a restart. */
export type Failure = Pick<Extract<Phase, { name: 'backing-off' }>, 'failures' | 'since' | 'until' | 'why'>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Failed proofs are counted by authorities, five in an hour by some: the fifth comes after 75 min. */
export const RETRY: BackoffOptions = { base: 5 * MINUTE_MS, cap: DAY_MS, jitter: 0.2 };
/** Whoever is in a hurry cannot have it tried more often, ms. */
const HURRY_MS = MINUTE_MS;
/** Share of its life that a certificate has left when it is renewed; and so much less, so that many do not come at once. */
const LEFT = 1 / 3;
const SPREAD = 0.02;
/** However late an authority wants it: this share of its life must be left. */
const LEAST_LEFT = 1 / 10;
/** Advice is asked for so often where the authority does not say, and never more often or seldom than so, ms. */
const ADVICE_MS = 6 * HOUR_MS;
const [SHORTEST_ADVICE_MS, LONGEST_ADVICE_MS] = [5 * MINUTE_MS, DAY_MS];

/** The phase to begin with. @param life of the certificate that is there already @param failure before a restart */
export function firstPhase(life: Life | undefined, failure: Failure | undefined, now: number, random: number): Phase {
  if (failure !== undefined && failure.until > now && failure.until <= now + DAY_MS) {
    return { name: 'backing-off', ...failure };
  }
  const renewAt = life === undefined ? now : ownRenewAt(life, random);
  // The authority may have had to revoke what it issued while nobody asked.
  return renewAt > now
    ? { name: 'served', renewAt, askAt: now }
    : { name: 'ordering', failures: failure?.failures ?? 0 };
}

/**
 * The phase that an event leads to; an event that means nothing in a phase leaves it.
 * @param now ms since the epoch
 * @param random in [0, 1)
 */
export function nextPhase(phase: Phase, event: Event, now: number, random: number): Phase {
  switch (phase.name) {
    case 'served':
      if (event.type !== 'due') return phase;
      if (phase.renewAt <= now) return { name: 'ordering', failures: 0 };
      return phase.askAt <= now ? { name: 'asking', renewAt: phase.renewAt } : phase;
    case 'asking':
      if (event.type === 'advised') return advised(event, now, random);
      // Nothing hangs on it.
      return event.type === 'failed' ? { name: 'served', renewAt: phase.renewAt, askAt: now + ADVICE_MS } : phase;
    case 'ordering':
      return event.type === 'ordered' ? { ...phase, name: 'proving' } : failed(phase, event, now, random);
    case 'proving':
      return event.type === 'proven' ? { ...phase, name: 'finishing' } : failed(phase, event, now, random);
    case 'finishing':
      return event.type === 'issued' ? served(event.life, now, random) : failed(phase, event, now, random);
    case 'backing-off': {
      const pause = event.type === 'hurry' && !event.isOther ? phase.since + HURRY_MS : now;
      const from = event.type === 'due' ? phase.until : pause;
      const mayBegin = (event.type === 'due' || event.type === 'hurry') && from <= now;
      return mayBegin ? { name: 'ordering', failures: phase.failures } : phase;
    }
  }
}

/** When time alone leads on, ms since the epoch; undefined: something is under way. */
export function dueAt(phase: Phase): number | undefined {
  if (phase.name === 'served') return Math.min(phase.renewAt, phase.askAt);
  return phase.name === 'backing-off' ? phase.until : undefined;
}

function failed(phase: Extract<Phase, { failures: number }>, event: Event, now: number, random: number): Phase {
  if (event.type !== 'failed') return phase;
  const failures = phase.failures + 1;
  const delay = backoffDelay(failures, RETRY, () => random);
  const until = now + Math.min(RETRY.cap, Math.max(delay, event.retryAfterMs ?? 0));
  return { name: 'backing-off', failures, since: now, until, why: event.why };
}

/** A third of its life is always left to serve, whatever the clock says: one that is ahead must not order without end. */
function served(life: Life, now: number, random: number): Phase {
  const renewAt = Math.max(ownRenewAt(life, random), now + (life.notAfter - life.notBefore) * LEFT);
  return { name: 'served', renewAt, askAt: now + ADVICE_MS };
}

function ownRenewAt({ notBefore, notAfter }: Life, random: number): number {
  return notAfter - (notAfter - notBefore) * (LEFT - SPREAD * random);
}

function advised({ life, window, againMs }: Extract<Event, { type: 'advised' }>, now: number, random: number): Phase {
  const askAt = now + Math.min(LONGEST_ADVICE_MS, Math.max(SHORTEST_ADVICE_MS, againMs ?? ADVICE_MS));
  // Who gives no advice is not asked again for this certificate.
  if (window === undefined)
    return { name: 'served', renewAt: ownRenewAt(life, random), askAt: Number.POSITIVE_INFINITY };
  const latest = life.notAfter - (life.notAfter - life.notBefore) * LEAST_LEFT;
  const renewAt = Math.min(latest, window.start + (window.end - window.start) * random);
  return { name: 'served', renewAt, askAt };
}
