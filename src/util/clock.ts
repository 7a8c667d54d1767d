// The global of the same name is looked up at every call: 20 ns of 80.
import { performance } from 'node:perf_hooks';

/** A timer that can be called off. Cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/**
 * The only source of time. Everything that waits or measures takes one, so that the same code runs on real time and,
 * in the simulator and the property tests, on virtual time.
 */
export interface Clock {
  /** Monotonic milliseconds (fractions allowed) since an arbitrary origin; for durations and deadlines. */
  now(): number;
  /** Milliseconds since the Unix epoch; for what people and other systems read. */
  wall(): number;
  /** Calls `fn` once after `ms` milliseconds; at once (in a turn of its own) where that is less than 0: the moment has passed. */
  after(ms: number, fn: () => void): Timer;
  /** Calls `fn` every `ms` milliseconds (more than 0) until cancelled. */
  every(ms: number, fn: () => void): Timer;
}

/** Real time. Its timers keep the process alive, as Node's do. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fn) {
    // Node warns of less than 0.
    const handle = setTimeout(fn, Math.max(0, ms));
    return { cancel: () => clearTimeout(handle) };
  },
  every(ms, fn) {
    const handle = setInterval(fn, ms);
    return { cancel: () => clearInterval(handle) };
  },
};

/** Resolves after `ms` milliseconds of the clock's time; rejects with the signal's reason when aborted. */
export function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = clock.after(ms, () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    signal.addEventListener('abort', onAbort, { once: true });
  });
}
