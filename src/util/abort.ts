import type { Clock } from './clock.ts';

/** The outcome of `work`, or a rejection with the signal's reason when that comes first; `work` itself goes on. */
export function unlessAborted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Resolves when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/**
 * Makes a call with a signal that is aborted after `ms`. Settles then, even where the call does not.
 * @param late what it is rejected with then
 * @throws the outer signal's reason when that is aborted; what the call throws
 */
export async function withDeadline<Value>(
  clock: Clock,
  ms: number,
  signal: AbortSignal,
  late: () => Error,
  call: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  signal.throwIfAborted();
  const own = new AbortController();
  const onAbort = () => own.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = clock.after(ms, () => own.abort(late()));
  try {
    return await unlessAborted(call(own.signal), own.signal);
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Aborted after `ms` milliseconds of real time, or by the other signal. Does not keep the process alive. */
export function abortedWithin(ms: number, signal: AbortSignal): AbortSignal {
  return AbortSignal.any([AbortSignal.timeout(ms), signal]);
}
