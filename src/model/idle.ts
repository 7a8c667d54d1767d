/** What one gap between requests costs on average, in ms of an idle replica. */
export interface IdleCost {
  /** Replicas that wait for the next request, or stop. */
  idleMs: number;
  /** Starts, and who waits for them. */
  wakesMs: number;
  /** Share of the gaps that end with a wake, from 0 to 1. */
  wakes: number;
}

/** How replicas stand by that are paused; durations in ms. */
export interface StandbyWhy {
  /** For how long; 0: they are stopped at once. */
  pausedMs: number | 'ever';
  /** Until one that is paused is ready again; null until that was seen. */
  resumeMs: number | null;
  /** What a second of it costs, as a part of a second of one that is ready. */
  pausedCost: number;
}

/** What the schedule of a service asks for. */
export interface ScheduleStatus {
  /** Fewest replicas now, those included that are started ahead; 0 while no window is open. */
  min: number;
  /** ISO 8601: when the window closes; null while none is open. */
  until: string | null;
  /** ISO 8601: when the next one opens; null where none does. */
  nextAt: string | null;
}

/** What became of forecasts of the next call, and when it is expected. */
export interface ForecastWhy {
  /** Of the last ones, which count for more: how many were right, and how many were not. */
  right: number;
  wrong: number;
  /** Whether they were right, and worth it, so that the service is started ahead of the next call. */
  isTrusted: boolean;
  /** ISO 8601: from when until when a replica is there, or would be, for the next call; null where none is expected. */
  from: string | null;
  until: string | null;
  /** Why it is not started ahead all the same, as where memory is short; null where it is. */
  refused: string | null;
}

/** How long an idle service is kept, and why; durations in ms. */
export interface IdleWhy {
  /** `fixed`: as configured; `learning`: `auto`, while too few gaps are known; `learnt`: `auto`. */
  mode: 'fixed' | 'learning' | 'learnt';
  keepMs: number | 'never';
  /** Seconds of an idle replica that one second of a waiting user is worth. */
  weight: number;
  /** Gaps between requests that are known; those long ago count for less. */
  gaps: number;
  /** Those of other services, with gaps like its own, that it goes by too; 0: there are too few. */
  siblingGaps: number;
  /** What a start takes; null until one was seen. */
  startMs: number | null;
  stopMs: number | null;
  /** What all that wait for one wake wait together. */
  waitMs: number | null;
  /** Over 1: it is kept longer, until its wakes are so many times fewer, since they take more than their share of the starts. */
  raise: number;
  /** What becomes of its replicas then, where they are paused; null where they are stopped. */
  standby: StandbyWhy | null;
  /** With `auto`: calls that are expected; null before any could be. */
  forecast: ForecastWhy | null;
  /** What it would have cost with the gaps that are known; null while they are too few. */
  expected: { kept: IdleCost; atOnce: IdleCost; never: IdleCost } | null;
  /** How long `auto` would keep it with a tenth of the weight, with that, and with ten times as much. */
  byWeight: { weight: number; keepMs: number }[];
}
