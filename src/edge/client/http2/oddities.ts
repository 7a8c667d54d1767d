/**
 * What honest clients do seldom, and attackers without end, in points: each costs us more than them. `reset`: a request
 * that the client took back before it had its answer (rapid reset, CVE-2023-44487). `malformed`: one that breaks the
 * rules of HTTP/2. `settings`: a SETTINGS frame behind the first. `ping`: a PING. `waste`: 100 bytes that make no request
 * and no content, such as WINDOW_UPDATE and PRIORITY (see {@link ByteAccount}).
 */
const POINTS = { reset: 5, malformed: 5, settings: 5, ping: 1, waste: 1 } as const;

export type Oddity = keyof typeof POINTS;

/** Share of the limit that is forgotten each second. */
const FORGOTTEN = 0.1;
/** Points that an answered request makes up for. */
const CREDIT = 1;

/** Counts the odd behaviour of one session: one counter for all kinds, which time and honest requests take back. */
export class Oddities {
  #points = 0;
  /** When they were counted last, the clock's ms. */
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /**
   * Counts one.
   * @param limit most points
   * @param now the clock's ms
   * @param points of several at once
   * @returns whether they are too many
   */
  add(kind: Oddity, limit: number, now: number, points: number = POINTS[kind]): boolean {
    this.#points = Math.max(0, this.#points - ((now - this.#at) / 1000) * FORGOTTEN * limit) + points;
    this.#at = now;
    return this.#points > limit;
  }

  /** A request was answered. */
  makeUp(): void {
    this.#points = Math.max(0, this.#points - CREDIT);
  }
}
