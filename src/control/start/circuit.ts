import { backoffDelay } from '../../util/backoff.ts';

/** What is remembered until replicas have lived for long enough. */
interface Streak {
  /** Starts in a row that came to nothing, those included whose replica ended in its probation. */
  failures: number;
  /** Replicas in a row that were ready and crashed. */
  crashes: number;
  /** When the last of either was; what was asked for, or ready, before it is of the same round. */
  failedAt: number;
}

/**
 * Starts that scaling asks for while those in place of crashed replicas are held back: `free` until one was let through,
 * `spent` when a crash followed on that.
 */
type Extras = 'free' | 'used' | 'spent';

/**
 * Whether a service may start replicas, after what its last ones came to: the one place that says when the next start
 * may be. Ready replicas are not its business.
 */
export type Circuit =
  /** Starts are free. `steadySince`: when the first one of a new round became ready, if one did. */
  | (Streak & { state: 'closed'; steadySince?: number })
  /**
   * One failure (`backing-off`) or several in a row (`open`): none until `until`, then one on trial. `wasReady`: the one
   * that failed last had been ready.
   */
  | (Streak & { state: 'backing-off' | 'open'; until: number; wasReady: boolean; extras: Extras })
  /** The one on trial is under way. */
  | (Streak & { state: 'half-open' });

export type CircuitEvent =
  /** A start begins. */
  | { type: 'started' }
  /** A start under way was called off: it says nothing. */
  | { type: 'withdrawn' }
  | { type: 'ready'; askedAt: number }
  /** It came to nothing; `wasReady`: its replica ended in its probation. */
  | { type: 'failed'; askedAt: number; retrySafe: boolean; wasReady?: boolean }
  /** A replica that was past its probation ended unasked, or fell sick, while it was still young. */
  | { type: 'crashed'; readyAt: number }
  /** An operator asks, the configuration changed, or the runtime is back: what was is no guide any more. */
  | { type: 'forgiven' };

/** A replica that ends this soon after it was ready was not started well, ms. Failures in a row are forgotten then. */
export const PROBATION_MS = 10_000;
/** One that ends unasked this soon after it was ready has crashed, ms. Crashes in a row are forgotten then. */
export const CRASH_MS = 600_000;

/** Back-off after a failure that may pass by itself, after one that needs somebody to change something, and after the
 * second crash in a row, ms. The first is made good at once. */
const PASSING = { base: 1000, cap: 60_000, jitter: 0.2 };
const STANDING = { base: 10_000, cap: 60_000, jitter: 0.2 };
const CRASHING = { base: 1000, cap: 300_000, jitter: 0.2 };
/** Failures in a row that open the circuit. */
const OPENS_AT = 2;
/** Timers may fire this much early, ms. */
const TIMER_SLACK_MS = 1;

export const newCircuit: Circuit = {
  state: 'closed',
  failures: 0,
  crashes: 0,
  failedAt: Number.NEGATIVE_INFINITY,
};

/** The circuit after an event. All times are the clock's ms. */
export function nextCircuit(circuit: Circuit, event: CircuitEvent, now: number, random: () => number): Circuit {
  const { failures, crashes, failedAt } = circuit;
  switch (event.type) {
    case 'started':
      if (!isBlocked(circuit)) return circuit;
      return blockedUntil(circuit, now) === undefined
        ? { state: 'half-open', failures, crashes, failedAt }
        : { ...circuit, extras: 'used' };
    case 'withdrawn':
      return circuit.state === 'half-open'
        ? { ...circuit, state: blockedState(circuit), until: now, wasReady: false, extras: 'free' }
        : circuit;
    case 'ready':
      // One of a round of which another failed does not speak for the next round.
      if (event.askedAt < failedAt || blockedUntil(circuit, now) !== undefined) return circuit;
      if (circuit.state === 'closed') return { ...circuit, steadySince: circuit.steadySince ?? now };
      return { state: 'closed', failures, crashes, failedAt, steadySince: now };
    case 'failed': {
      // Starts asked for together fail together: that is one failure in a row, not several.
      if (event.askedAt < failedAt) return circuit;
      const { wasReady = false, retrySafe } = event;
      const streak = streakOf(circuit, now);
      const longer = { failures: streak.failures + 1, crashes: streak.crashes + Number(wasReady), failedAt: now };
      const delay = backoffDelay(longer.failures, retrySafe ? PASSING : STANDING, random);
      return blocked(longer, now + Math.max(delay, crashDelay(longer, random)), wasReady, circuit);
    }
    case 'crashed': {
      if (event.readyAt < failedAt) return circuit;
      const streak = streakOf(circuit, now);
      const longer = { ...streak, crashes: streak.crashes + 1, failedAt: now };
      const delay = crashDelay(longer, random);
      return delay === 0 ? { ...longer, state: 'closed' } : blocked(longer, now + delay, true, circuit);
    }
    case 'forgiven':
      return newCircuit;
  }
}

/** How many starts may begin now. */
export function allowance(circuit: Circuit, now: number): number {
  if (circuit.state === 'closed') return Number.POSITIVE_INFINITY;
  if (circuit.state === 'half-open') return 0;
  return now >= circuit.until - TIMER_SLACK_MS ? 1 : 0;
}

/**
 * How many starts that scaling asks for may begin now: those in place of crashed replicas are held back, but what can
 * live may grow, as long as no crash follows on that.
 * @param isProven whether a replica with the present `run` serves that has lived for so long that its end is no crash
 */
export function scalingAllowance(circuit: Circuit, now: number, isProven: boolean): number {
  const isHeldBack = isBlocked(circuit) && circuit.wasReady && blockedUntil(circuit, now) !== undefined;
  return isHeldBack && isProven && circuit.extras !== 'spent' ? Number.POSITIVE_INFINITY : allowance(circuit, now);
}

/** When starts that are blocked now may be tried again, the clock's ms; undefined when they are not blocked. */
export function blockedUntil(circuit: Circuit, now: number): number | undefined {
  return isBlocked(circuit) && now < circuit.until - TIMER_SLACK_MS ? circuit.until : undefined;
}

/**
 * Whether who looks at the service should not read `asleep`: the last start came to nothing, or several in a row did.
 * What answered and was then killed, once, is not failing.
 */
export function isFailing(circuit: Circuit): boolean {
  if (circuit.state === 'closed') return false;
  return inARow(circuit) >= OPENS_AT || circuit.state === 'half-open' || !circuit.wasReady;
}

/**
 * What is still remembered: a streak is over when no replica ended for so long since one of a new round is ready. One of
 * crashes also when nobody asked for another start for that long.
 */
export function streakOf(circuit: Circuit, now: number): Streak {
  const { failures, crashes, failedAt } = circuit;
  const steadyMs = circuit.state === 'closed' ? now - (circuit.steadySince ?? now) : 0;
  const quietMs = isBlocked(circuit) ? now - circuit.until : steadyMs;
  return {
    failures: steadyMs >= PROBATION_MS - TIMER_SLACK_MS ? 0 : failures,
    crashes: quietMs >= CRASH_MS - TIMER_SLACK_MS ? 0 : crashes,
    failedAt,
  };
}

function crashDelay({ crashes }: Streak, random: () => number): number {
  return crashes < OPENS_AT ? 0 : backoffDelay(crashes - 1, CRASHING, random);
}

function inARow({ failures, crashes }: Streak): number {
  return Math.max(failures, crashes);
}

function isBlocked(circuit: Circuit): circuit is Extract<Circuit, { until: number }> {
  return circuit.state === 'backing-off' || circuit.state === 'open';
}

function blocked(streak: Streak, until: number, wasReady: boolean, before: Circuit): Circuit {
  const extras = isBlocked(before) && before.extras !== 'free' ? 'spent' : 'free';
  return { ...streak, state: blockedState(streak), until, wasReady, extras };
}

function blockedState(streak: Streak): 'backing-off' | 'open' {
  return inARow(streak) >= OPENS_AT ? 'open' : 'backing-off';
}
