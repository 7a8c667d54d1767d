import type { DecisionEntry } from '../model/decision.ts';

/** When the load of every scenario begins, ms since the Unix epoch: decisions carry times of the calendar. */
export const LOAD_BEGINS_MS = Date.UTC(2026, 0, 1);

/** What came of a scenario under a policy. */
export interface Outcome {
  policy: string;
  seed: number;
  services: ServiceOutcome[];
}

export interface ServiceOutcome {
  service: string;
  /** Starts that the runtime was asked for. */
  starts: number;
  failedStarts: number;
  stops: number;
  /** Replicas from the call that starts them to their end, integrated, s. */
  replicaSeconds: number;
  /** Most replicas at once that were starting or in rotation. */
  mostReplicas: number;
  /** Those at the end. */
  lastReplicas: number;
  /** Seconds at whose end the quantile of the last 5 s (see `SecondPoint.p95Ms`) was over `aboveMs`. */
  secondsOver: number;
  arrivals: number;
  /** Answers below 500 that are no `scale.shed` status. */
  answered: number;
  /** Answers with a status of `scale.shed`, and refusals and time-outs of the proxy. */
  shed: number;
  /** Other answers of 500 and more. */
  errors: number;
  /** Requests that ended without an answer: reset, or given up by the client. */
  lost: number;
  /** A point per second. */
  series: SecondPoint[];
  /** Changes and refusals, in order. */
  decisions: DecisionEntry[];
}

/** One second of a service: counts over it, gauges at its end. */
export interface SecondPoint {
  /** 0 is the first second of the load. */
  second: number;
  arrivals: number;
  answered: number;
  shed: number;
  errors: number;
  lost: number;
  /** Replicas in rotation. */
  ready: number;
  starting: number;
  /** Cordoned, draining or stopping. */
  retiring: number;
  /** Requests that a replica has. */
  inFlight: number;
  /** Requests that wait at the edge. */
  queued: number;
  /**
   * Times to first byte as clients saw them, from arrival, of the answers of the last 5 s together with the ages of
   * requests that still wait; undefined where there are none.
   */
  p50Ms: number | undefined;
  p95Ms: number | undefined;
  /** The threshold, ms. */
  aboveMs: number;
}
