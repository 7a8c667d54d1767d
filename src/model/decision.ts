/** What a guard says to a proposed change. `limit`: fewer than asked. */
export interface GuardVerdict {
  /** Short name: freeze, samples, errors, signal, load, benefit, step, flaps, budget, failures. */
  guard: string;
  verdict: 'pass' | 'limit' | 'block';
  /** One line with the numbers it rests on. */
  detail: string;
}

/** One decision about a service, with all that led to it; what `why` prints. */
export interface Decision {
  /** ISO 8601. */
  at: string;
  service: string;
  action: 'wake' | 'scale-up' | 'scale-down' | 'sleep' | 'revoke' | 'replace' | 'adopt' | 'none';
  from: number;
  to: number;
  /** One line for people. */
  reason: string;
  /** The numbers that it was decided on; units in the names (…Ms, …PerSecond). */
  inputs: Record<string, number>;
  verdicts: GuardVerdict[];
  /** Decided, but not carried out. */
  dryRun: boolean;
}
