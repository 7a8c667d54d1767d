/** A request that got no right answer. */
export interface Failure {
  /** In its target, so that the access log tells of it. */
  id: string;
  kind: string;
  service: string;
  /** What the client saw: `502 UPSTREAM_RESET`, `truncated`, … */
  reason: string;
  /** Epoch ms. */
  sentAt: number;
  endedAt: number;
}

/** What became of requests; `aborted` is what their own client broke off. */
export interface Counts {
  sent: number;
  answered: number;
  aborted: number;
  failed: number;
}

/** The counts of all requests by their kind, and the failures one by one. */
export class Ledger {
  readonly byKind = new Map<string, Counts>();
  readonly failures: Failure[] = [];

  sent(kind: string): void {
    this.#counts(kind).sent++;
  }

  ended(kind: string, how: 'answered' | 'aborted'): void {
    this.#counts(kind)[how]++;
  }

  failed(failure: Failure): void {
    this.#counts(failure.kind).failed++;
    this.failures.push(failure);
  }

  get total(): Counts {
    const total: Counts = { sent: 0, answered: 0, aborted: 0, failed: 0 };
    for (const counts of this.byKind.values()) {
      for (const key of Object.keys(total) as (keyof Counts)[]) total[key] += counts[key];
    }
    return total;
  }

  #counts(kind: string): Counts {
    const known = this.byKind.get(kind);
    if (known !== undefined) return known;
    const fresh: Counts = { sent: 0, answered: 0, aborted: 0, failed: 0 };
    this.byKind.set(kind, fresh);
    return fresh;
  }
}
