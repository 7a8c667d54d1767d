/** What is known of a service's activity when an edge has spoken; times are the clock's ms. */
export interface ActivitySeen {
  now: number;
  /** Something is held or in flight. */
  isBusy: boolean;
  /** Something is held. */
  isHeld: boolean;
  /** End of the last activity on any edge. */
  lastActivityAt: number;
  /** Requests that came since that edge spoke before. */
  arrivals: number;
  /** How long ago that was, ms. */
  spanMs: number;
  /** For how long of this requests were in flight, ms; those at the same time count each. */
  loadMs: number;
}

/** Gaps that are shorter are none: requests that follow each other. */
const LEAST_GAP_MS = 1;

/**
 * Tells the gaps between the requests of a service from what its edges report. What lies within one report is divided
 * evenly: no service could be put to sleep for so short a time.
 */
export class IdleWatch {
  /** End of the last activity; undefined before the first. */
  #endedAt: number | undefined;
  #wasBusy = false;
  #wasHeld = false;

  /** For how long nothing has been going on, ms; 0 while anything is, and before the first request. */
  idleForMs(now: number): number {
    return this.#endedAt === undefined || this.#wasBusy ? 0 : Math.max(0, now - this.#endedAt);
  }

  /**
   * @param over called for the gaps that are over now: how long each was, ms, how many there were, and when the first of
   *   them ended
   */
  see(seen: ActivitySeen, over: (gapMs: number, count: number, endedAt: number) => void): void {
    const { now, isBusy, lastActivityAt, arrivals, spanMs, loadMs } = seen;
    const before = this.#endedAt;
    const wasBusy = this.#wasBusy;
    const wasHeld = this.#wasHeld;
    // Without a request an end that seems to move is what messages take to arrive.
    if (!isBusy && !wasBusy && arrivals === 0) return;
    const endedAt = isBusy ? now : lastActivityAt;
    this.#wasBusy = isBusy;
    this.#wasHeld = seen.isHeld;
    if (!Number.isFinite(endedAt)) return;
    this.#endedAt = Math.max(endedAt, before ?? endedAt);
    // What was held came before, and until when it was is not told.
    if (before === undefined || wasHeld || (arrivals === 0 && wasBusy)) return;
    const count = Math.max(1, arrivals);
    // All of the time before the report belongs to one gap.
    const longMs = wasBusy ? 0 : Math.max(0, now - spanMs - before);
    const shortMs = Math.max(0, this.#endedAt - before - longMs - Math.min(loadMs, spanMs)) / count;
    const endedFirstAt = before + longMs + shortMs;
    if (longMs + shortMs >= LEAST_GAP_MS) over(longMs + shortMs, 1, endedFirstAt);
    if (shortMs >= LEAST_GAP_MS && count > 1) over(shortMs, count - 1, endedFirstAt);
  }
}
