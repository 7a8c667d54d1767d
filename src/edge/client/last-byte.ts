import type { ClientContext } from './context.ts';

/** A FIN within this time of the last byte comes right behind the request, ms: BusyBox wget and `nc -N` send it so. */
const BEHIND_MS = 250;

/** Knows when the last byte of a client's request came, to tell a half-close from a client that gave up. */
export class LastByte {
  readonly #context: ClientContext;
  /** The clock's ms, and turns of the deadlines. */
  #at = 0;
  #turn = 0;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** It came now. @param now the clock's ms */
  note(now: number): void {
    this.#at = now;
    this.#turn = this.#context.deadlines.turns;
  }

  /**
   * Whether a FIN that is seen now came right behind it. The FIN may have lain there while the process was busy. Then
   * it is seen at the next look, however late that is.
   */
  get isJustNow(): boolean {
    const { clock, deadlines } = this.#context;
    if (clock.now() - this.#at <= BEHIND_MS) return true;
    return deadlines.isTurning && deadlines.turns - this.#turn < 2;
  }
}
