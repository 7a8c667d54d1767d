import type { IdleWhy, ScheduleStatus } from './idle.ts';
import type { LatencyThreshold } from './threshold.ts';

/** What a guard says to a proposed change. `limit`: fewer than asked. */
export interface GuardVerdict {
  /** Short name: freeze, samples, errors, signal, load, benefit, step, flaps, budget, failures. */
  guard: string;
  verdict: 'pass' | 'limit' | 'block';
  /** One line with the numbers it rests on. */
  detail: string;
}

/** What was decided about a service, and all that led to it. */
interface Decided {
  /** Tells it from every other decision about this service, over restarts. */
  id: string;
  /** ISO 8601. */
  at: string;
  service: string;
  /** What asked the scaler for it (latency, concurrency, down, undo …); null where another part decided. */
  kind: string | null;
  from: number;
  to: number;
  /** One line for people. */
  reason: string;
  /**
   * The numbers that it was decided on; units in the names (…Ms, …PerSecond). One with a `kind` can be decided again
   * from them alone.
   */
  inputs: Record<string, number>;
  verdicts: GuardVerdict[];
  /** Decided, but not carried out. */
  dryRun: boolean;
}

/** A decision for a change. */
export interface Decision extends Decided {
  action: 'wake' | 'scale-up' | 'scale-down' | 'sleep' | 'revoke' | 'replace' | 'adopt';
  /** What came of it, the last that was heard; null while nothing is known. */
  outcome: DecisionOutcome | null;
}

export interface DecisionOutcome {
  /** ISO 8601. */
  at: string;
  /** One line with its numbers: `helped: p95 1,802 → 240 ms`. */
  text: string;
}

/** A change was asked for, and guards kept it back for a while: the numbers are those of its first tick. */
export interface Refusal extends Decided {
  action: 'none';
  /** Null while it stands. */
  ended: RefusalEnd | null;
}

export interface RefusalEnd {
  /** ISO 8601: the first tick without it. */
  at: string;
  lastedMs: number;
  /** At how many ticks the same guards refused the same kind of change; null where the proxy ended meanwhile. */
  ticks: number | null;
}

/** What `why` tells, one after the other. */
export type DecisionEntry = Decision | Refusal;

/** What keeps the next change of a service back now. */
export interface HeldBack {
  /** ISO 8601. */
  since: string;
  /** The guards that block it. */
  guards: string[];
  /** One line with the present numbers: what is asked for, and what each of those guards says. */
  reason: string;
}

/** All that is remembered of one service's decisions. */
export interface ServiceWhy {
  service: string;
  /** The last changes and refusals, in the order of time. */
  decisions: DecisionEntry[];
  /** What keeps the next change back; null where nothing does. */
  heldBack: HeldBack | null;
  /** The threshold in force; null where nothing can be started. */
  threshold: LatencyThreshold | null;
  /** How long it is kept when it is idle; null where nothing can be started. */
  idle: IdleWhy | null;
  /** What the schedule asks for; null where there is none. */
  schedule: ScheduleStatus | null;
}
