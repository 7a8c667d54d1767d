import type { SessionEnding } from '../../model/access.ts';
import type { SessionsReport } from '../../model/link.ts';

/** Counts what the TCP sessions of one service did since the last report. */
export class SessionCounts {
  #ended: SessionsReport['ended'] = {};
  #bytesIn = 0;
  #bytesOut = 0;

  ended(how: SessionEnding): void {
    this.#ended[how] = (this.#ended[how] ?? 0) + 1;
  }

  /** Bytes came from a client, or were sent to one. */
  passed(bytesIn: number, bytesOut: number): void {
    this.#bytesIn += bytesIn;
    this.#bytesOut += bytesOut;
  }

  get isQuiet(): boolean {
    return this.#bytesIn === 0 && this.#bytesOut === 0 && Object.keys(this.#ended).length === 0;
  }

  /** Returns the counts since the last call, and starts them anew. */
  take(): SessionsReport {
    const taken = { ended: this.#ended, bytesIn: this.#bytesIn, bytesOut: this.#bytesOut };
    this.#ended = {};
    this.#bytesIn = 0;
    this.#bytesOut = 0;
    return taken;
  }
}
