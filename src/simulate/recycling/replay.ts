import type { KeepPlan, KeepPolicy } from './keep-policy.ts';
import type { ServiceCalls } from './workload.ts';

/** What keeping one service came to, or several together. */
export interface KeepTotals {
  calls: number;
  /** Starts, those ahead of a call included. */
  starts: number;
  /** Calls that waited for a start. */
  delayed: number;
  /** What all callers waited for starts, s. */
  waitedSeconds: number;
  /** Replicas, from the beginning of a start to the end of the stop, s. */
  replicaSeconds: number;
  /** The same times their memory, MiB × s. */
  memorySeconds: number;
}

export function noTotals(): KeepTotals {
  return { calls: 0, starts: 0, delayed: 0, waitedSeconds: 0, replicaSeconds: 0, memorySeconds: 0 };
}

export function addTotals(to: KeepTotals, more: KeepTotals): void {
  for (const key of Object.keys(to) as (keyof KeepTotals)[]) to[key] += more[key];
}

/**
 * Plays the calls of one service against a policy. One replica serves all that comes at the same time; it sleeps before
 * the first call. What comes during a start waits for its end.
 * @param endMs when the time that is looked at ends: a replica that is kept costs until then
 */
export function replay(service: ServiceCalls, policy: KeepPolicy, endMs: number): KeepTotals {
  const { at, durationMs, startMs, stopMs, memoryMiB } = service;
  const totals = noTotals();
  let replicaMs = 0;
  let waitedMs = 0;
  /** When the last activity ends; what was up to then is counted. */
  let busyUntil = Number.NEGATIVE_INFINITY;
  /** When the start that is under way ends, and what is waited for it. */
  let readyAt = Number.NEGATIVE_INFINITY;
  let wakeMs = 0;
  let isWake = false;

  const endWake = () => {
    if (!isWake) return;
    policy.woken(startMs, wakeMs);
    isWake = false;
    wakeMs = 0;
  };

  for (let i = 0; i < at.length; i++) {
    const now = at[i] as number;
    totals.calls++;
    if (now > busyUntil) {
      endWake();
      let ready = now + startMs;
      let from = now;
      if (totals.calls > 1) {
        const gap = now - busyUntil;
        const plan = policy.plan(busyUntil);
        const idle = idleFor(gap, plan, startMs, stopMs);
        replicaMs += idle.replicaMs;
        totals.starts += idle.prewarms;
        if (idle.stops > 0) policy.stopped(stopMs);
        if (idle.readyAfterMs !== undefined) {
          ready = busyUntil + idle.readyAfterMs;
          from = now;
        }
        policy.idled(gap, now);
      }
      if (ready === now + startMs) {
        totals.starts++;
        isWake = true;
      }
      readyAt = ready;
      busyUntil = from;
    }
    const waited = Math.max(0, readyAt - now);
    if (waited > 0) {
      totals.delayed++;
      waitedMs += waited;
      wakeMs += waited;
    }
    const until = now + waited + (durationMs[i] as number);
    if (until > busyUntil) {
      replicaMs += until - busyUntil;
      busyUntil = until;
    }
  }
  if (totals.calls > 0 && busyUntil < endMs)
    replicaMs += idleFor(endMs - busyUntil, policy.plan(busyUntil), startMs, stopMs).replicaMs;
  totals.replicaSeconds = replicaMs / 1000;
  totals.memorySeconds = totals.replicaSeconds * memoryMiB;
  totals.waitedSeconds = waitedMs / 1000;
  return totals;
}

interface IdleTime {
  /** Time with a replica, also one that starts or stops, within the gap, ms. */
  replicaMs: number;
  prewarms: number;
  stops: number;
  /** Since the last activity: when the replica that is there at the end of the gap is ready; undefined: there is none. */
  readyAfterMs: number | undefined;
}

function idleFor(gap: number, { keepMs, prewarmMs, untilMs }: KeepPlan, startMs: number, stopMs: number): IdleTime {
  if (gap <= keepMs) return { replicaMs: gap, prewarms: 0, stops: 0, readyAfterMs: 0 };
  const stopped = Math.min(gap - keepMs, stopMs);
  if (gap <= prewarmMs) return { replicaMs: keepMs + stopped, prewarms: 0, stops: 1, readyAfterMs: undefined };
  // What is not started yet is on its way.
  const kept = keepMs + Math.min(stopped, prewarmMs - keepMs);
  if (gap <= untilMs)
    return { replicaMs: kept + gap - prewarmMs, prewarms: 1, stops: 1, readyAfterMs: prewarmMs + startMs };
  const again = untilMs - prewarmMs + Math.min(gap - untilMs, stopMs);
  return { replicaMs: kept + again, prewarms: 1, stops: 2, readyAfterMs: undefined };
}
