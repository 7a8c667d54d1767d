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

/** Plays all calls of one service against a policy, as `Replay` does. @param endMs when the time that is looked at ends */
export function replay(service: ServiceCalls, policy: KeepPolicy, endMs: number): KeepTotals {
  return new Replay(service, policy).end(endMs);
}

/**
 * Plays the calls of one service against a policy, bit by bit. One replica serves all that comes at the same time; it
 * sleeps before the first call. What comes during a start waits for its end.
 */
export class Replay {
  readonly #service: ServiceCalls;
  readonly #policy: KeepPolicy;
  readonly #totals = noTotals();
  #next = 0;
  #replicaMs = 0;
  #waitedMs = 0;
  /** When the last activity ends; what was up to then is counted. */
  #busyUntil = Number.NEGATIVE_INFINITY;
  /** When the start that is under way ends, and what is waited for it. */
  #readyAt = Number.NEGATIVE_INFINITY;
  #wakeMs = 0;
  #isWake = false;

  constructor(service: ServiceCalls, policy: KeepPolicy) {
    this.#service = service;
    this.#policy = policy;
  }

  /** Plays what comes before that, ms. */
  until(ms: number): void {
    const { at } = this.#service;
    for (; this.#next < at.length && (at[this.#next] as number) < ms; this.#next++) this.#call(this.#next);
  }

  /** Plays the rest. @param ms when the time that is looked at ends: a replica that is kept costs until then */
  end(ms: number): KeepTotals {
    const { startMs, stopMs, memoryMiB } = this.#service;
    this.until(Number.POSITIVE_INFINITY);
    const totals = this.#totals;
    totals.calls = this.#next;
    this.#endWake();
    if (this.#next > 0 && this.#busyUntil < ms)
      this.#replicaMs += idleFor(ms - this.#busyUntil, this.#policy.plan(this.#busyUntil), startMs, stopMs).replicaMs;
    totals.replicaSeconds = this.#replicaMs / 1000;
    totals.memorySeconds = totals.replicaSeconds * memoryMiB;
    totals.waitedSeconds = this.#waitedMs / 1000;
    return totals;
  }

  #call(index: number): void {
    const { at, durationMs } = this.#service;
    const now = at[index] as number;
    if (now > this.#busyUntil) this.#begin(now, index === 0);
    const waited = Math.max(0, this.#readyAt - now);
    if (waited > 0) {
      this.#totals.delayed++;
      this.#waitedMs += waited;
      this.#wakeMs += waited;
    }
    const until = now + waited + (durationMs[index] as number);
    if (until <= this.#busyUntil) return;
    this.#replicaMs += until - this.#busyUntil;
    this.#busyUntil = until;
  }

  /** An activity begins. */
  #begin(now: number, isFirst: boolean): void {
    const { startMs, stopMs } = this.#service;
    this.#endWake();
    const gap = now - this.#busyUntil;
    let readyAfterMs: number | undefined;
    if (!isFirst) {
      const idle = idleFor(gap, this.#policy.plan(this.#busyUntil), startMs, stopMs);
      this.#replicaMs += idle.replicaMs;
      this.#totals.starts += idle.prewarms;
      if (idle.stops > 0) this.#policy.stopped(stopMs);
      this.#policy.idled(gap, now);
      readyAfterMs = idle.readyAfterMs;
    }
    this.#isWake = readyAfterMs === undefined;
    this.#readyAt = readyAfterMs === undefined ? now + startMs : this.#busyUntil + readyAfterMs;
    if (this.#isWake) this.#totals.starts++;
    this.#busyUntil = now;
  }

  #endWake(): void {
    if (!this.#isWake) return;
    this.#policy.woken(this.#service.startMs, this.#wakeMs);
    this.#isWake = false;
    this.#wakeMs = 0;
  }
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
