import { backoffDelay } from '../../util/backoff.ts';

/** Whether a service may start replicas, after what its last starts came to. Ready replicas are not its business. */
export type Circuit =
  /**
   * Starts are free. `failures` in a row are remembered until a start has proved itself; `readyOf` is when the last one
   * that became ready was asked for.
   */
  | { state: 'closed'; failures: number; failedAt: number; readyOf?: number }
  /**
   * One failure (`backing-off`) or several in a row (`open`): none until `until`, then one on trial. `wasReady`: the one
   * that failed last had been ready for a moment.
   */
  | { state: 'backing-off' | 'open'; failures: number; failedAt: number; until: number; wasReady: boolean }
  /** The one on trial is under way. */
  | { state: 'half-open'; failures: number; failedAt: number };

export type CircuitEvent =
  /** A start begins that was asked for at `askedAt`. */
  | { type: 'started' }
  /** A start under way was called off: it says nothing. */
  | { type: 'withdrawn' }
  | { type: 'ready'; askedAt: number }
  /** It is still there 10 s after it was ready. */
  | { type: 'proved'; askedAt: number }
  | { type: 'failed'; askedAt: number; retrySafe: boolean }
  /** An operator asks, the configuration changed, or the runtime is back: what was is no guide any more. */
  | { type: 'forgiven' };

/** Back-off after a failure that may pass by itself, and after one that needs somebody to change something, ms. */
const PASSING = { base: 1000, cap: 60_000, jitter: 0.2 };
const STANDING = { base: 10_000, cap: 60_000, jitter: 0.2 };
/** Failures in a row that open the circuit. */
const OPENS_AT = 2;
/** Timers may fire this much early, ms. */
const TIMER_SLACK_MS = 1;

export const newCircuit: Circuit = { state: 'closed', failures: 0, failedAt: Number.NEGATIVE_INFINITY };

/** The circuit after an event. All times are the clock's ms. */
export function nextCircuit(circuit: Circuit, event: CircuitEvent, now: number, random: () => number): Circuit {
  const { failures, failedAt } = circuit;
  switch (event.type) {
    case 'started':
      return isBlocked(circuit) ? { state: 'half-open', failures, failedAt } : circuit;
    case 'withdrawn':
      return circuit.state === 'half-open'
        ? { state: blockedState(failures), failures, failedAt, until: now, wasReady: false }
        : circuit;
    case 'ready':
      // One of a round of which another failed does not speak for the next round.
      return event.askedAt < failedAt ? circuit : { state: 'closed', failures, failedAt, readyOf: event.askedAt };
    case 'proved':
      return event.askedAt < failedAt || circuit.state !== 'closed' ? circuit : { ...circuit, failures: 0 };
    case 'failed': {
      // Starts asked for together fail together: that is one failure in a row, not several.
      if (event.askedAt < failedAt) return circuit;
      const inARow = failures + 1;
      const until = now + backoffDelay(inARow, event.retrySafe ? PASSING : STANDING, random);
      const wasReady = circuit.state === 'closed' && circuit.readyOf === event.askedAt;
      return { state: blockedState(inARow), failures: inARow, failedAt: now, until, wasReady };
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
  return circuit.failures >= OPENS_AT || circuit.state === 'half-open' || !circuit.wasReady;
}

function isBlocked(circuit: Circuit): circuit is Extract<Circuit, { until: number }> {
  return circuit.state === 'backing-off' || circuit.state === 'open';
}

function blockedState(failures: number): 'backing-off' | 'open' {
  return failures >= OPENS_AT ? 'open' : 'backing-off';
}
