/** Whoever wants to know whether the other end of its connection has closed it. */
export interface Checked {
  /** What had come by the time it asked has been read since. */
  onChecked(): void;
}

/**
 * Tells when all sockets have been looked at once more. A server may close a kept connection at the moment in which the
 * next request comes, and of two sockets that have something the client's may be read first: its request would be
 * written behind the end of a connection.
 */
export class StaleCheck {
  /** Added before the coming look at the sockets, and after it. */
  #due: Checked[] = [];
  #added: Checked[] = [];
  #isScheduled = false;

  add(checked: Checked): void {
    this.#added.push(checked);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // No matter of time: of two turns in a row, one look at the sockets lies between.
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isScheduled = false;
    const due = this.#due;
    this.#due = this.#added;
    this.#added = [];
    if (this.#due.length > 0) this.#schedule();
    for (const each of due) each.onChecked();
  };
}
