/** A client that delayed its exchange by so much in all may be why the upstream gave it up, ms. */
const DELAYED_MS = 1000;

/**
 * Whose time an exchange takes. Before the answer the upstream is waited for, except while the client has still to send
 * of its body what the upstream would take; within the answer, the client may keep the upstream waiting. What a client
 * delays is no latency of the service, runs against no time-out of the upstream, and judges no endpoint. Times are the
 * clock's ms, 0 = not now.
 */
export class Turns {
  /**
   * From when the time to first byte counts: arrival, or the end of the wait for a start, and so much later as the body
   * went on coming after the dispatch.
   */
  since = 0;
  /** The request went out before its body was here: from then. */
  #uploadingSince = 0;
  /** From when the client is waited for: for more of its body, or to take more of the answer. */
  #clientSince = 0;
  #clientMs = 0;
  /** From when the upstream has not taken what was sent of the body. */
  #stalledSince = 0;

  begin(now: number): void {
    this.since = now;
    this.#uploadingSince = 0;
    this.#clientSince = 0;
    this.#clientMs = 0;
    this.#stalledSince = 0;
  }

  /** A wait that is no time of the service's is over. */
  countFrom(at: number): void {
    this.since = at;
  }

  /** The request went out without all of its body. @param keepsUp whether the upstream takes more */
  upload(now: number, keepsUp: boolean): void {
    this.#uploadingSince = now;
    if (keepsUp) this.awaitClient(now);
    else this.#stalledSince = now;
  }

  /** It is on the client now. */
  awaitClient(now: number): void {
    this.#stalledSince = 0;
    if (this.#clientSince === 0) this.#clientSince = now;
  }

  /** It is on the upstream now: it does not take more of the body. */
  awaitUpstream(now: number): void {
    this.endWait(now);
    if (this.#stalledSince === 0) this.#stalledSince = now;
  }

  /** All of the body is here, however long that took, or the attempt is over. */
  endUpload(now: number): void {
    this.#clientSince = 0;
    this.#clientMs = 0;
    this.#stalledSince = 0;
    if (this.#uploadingSince === 0) return;
    this.since += now - this.#uploadingSince;
    this.#uploadingSince = 0;
  }

  /** The client is waited for no more: it takes the answer again. */
  endWait(now: number): void {
    if (this.#clientSince === 0) return;
    this.#clientMs += now - this.#clientSince;
    this.#clientSince = 0;
  }

  /** For how long the service has been waited for, ms: its time to first byte when that is now. Undefined: it is not. */
  waitedMs(now: number): number | undefined {
    if (this.#uploadingSince === 0) return now - this.since;
    return this.#stalledSince === 0 ? undefined : now - this.#stalledSince;
  }

  /**
   * Whether the client has kept the upstream waiting for long, with its body or its taking the answer: when the upstream
   * gives up, that says nothing of the upstream.
   */
  clientDelayed(now: number): boolean {
    return this.#clientMs + (this.#clientSince === 0 ? 0 : now - this.#clientSince) >= DELAYED_MS;
  }
}
