/** A client that delayed its exchange by so much in all may be the reason why the upstream gave up, ms. */
const DELAYED_MS = 1000;

/**
 * Tells whose time an exchange takes. Before the answer we wait for the upstream, except while the client has yet to
 * send what the upstream would take. Within the answer, the client may keep the upstream waiting. A delay by the client
 * is no latency of the service, does not run against a time-out of the upstream, and judges no endpoint. Times are the
 * clock's ms, 0 = not now.
 */
export class Turns {
  /**
   * Since when the time to first byte counts: since the arrival or the end of the wait for a start, but later by the
   * time that failed attempts took, and that the body went on coming after the dispatch.
   */
  since = 0;
  /** How long it waited for a slot before it was dispatched. */
  #queuedMs = 0;
  /** Since when the request is out without its whole body. */
  #uploadingSince = 0;
  /** Since when we wait for the client: for more of its body, or to take more of the answer. */
  #clientSince = 0;
  #clientMs = 0;
  /** Since when the upstream has not taken what was sent of the body. */
  #stalledSince = 0;

  begin(now: number): void {
    this.since = now;
    this.#queuedMs = 0;
    this.#uploadingSince = 0;
    this.#clientSince = 0;
    this.#clientMs = 0;
    this.#stalledSince = 0;
  }

  /** A wait is over that was not the service's time. */
  countFrom(at: number): void {
    this.since = at;
  }

  /** It goes to an endpoint. */
  dispatch(now: number): void {
    this.#queuedMs = now - this.since;
  }

  /** The attempt failed. What it took is no time of the endpoint that the next one goes to. */
  endAttempt(now: number): void {
    this.endUpload(now);
    this.since = now - this.#queuedMs;
  }

  /** The request went out without all of its body. @param keepsUp whether the upstream takes more */
  upload(now: number, keepsUp: boolean): void {
    this.#uploadingSince = now;
    if (keepsUp) this.awaitClient(now);
    else this.#stalledSince = now;
  }

  /** It is the client's turn now. */
  awaitClient(now: number): void {
    this.#stalledSince = 0;
    if (this.#clientSince === 0) this.#clientSince = now;
  }

  /** It is the upstream's turn now: it does not take more of the body. */
  awaitUpstream(now: number): void {
    this.endWait(now);
    if (this.#stalledSince === 0) this.#stalledSince = now;
  }

  /** The whole body is here, however long that took. */
  endUpload(now: number): void {
    this.#clientSince = 0;
    this.#clientMs = 0;
    this.#stalledSince = 0;
    if (this.#uploadingSince === 0) return;
    this.since += now - this.#uploadingSince;
    this.#uploadingSince = 0;
  }

  /** The client takes the answer again. */
  endWait(now: number): void {
    if (this.#clientSince === 0) return;
    this.#clientMs += now - this.#clientSince;
    this.#clientSince = 0;
  }

  /** For how long we have waited for the service, ms: its time to first byte, if that is now. Undefined: we do not. */
  waitedMs(now: number): number | undefined {
    if (this.#uploadingSince === 0) return now - this.since;
    return this.#stalledSince === 0 ? undefined : now - this.#stalledSince;
  }

  /**
   * Whether the client has kept the upstream waiting for long, by sending its body or taking the answer slowly. If the
   * upstream gives up then, that says nothing about the upstream.
   */
  clientDelayed(now: number): boolean {
    return this.#clientMs + (this.#clientSince === 0 ? 0 : now - this.#clientSince) >= DELAYED_MS;
  }
}
