import type { ContentCoding } from '../../model/compress-settings.ts';
import type { CompressionReport } from '../../model/link.ts';

/** Counts what was compressed of the answers of one service since the last report. */
export class CompressionCounts {
  #coded: CompressionReport['coded'] = {};
  #refused = 0;

  /** An answer ended, whole or broken off. @param bytesIn of its content @param bytesOut the same, coded */
  ended(coding: ContentCoding, bytesIn: number, bytesOut: number): void {
    const counts = this.#coded[coding] ?? { answers: 0, bytesIn: 0, bytesOut: 0 };
    this.#coded[coding] = counts;
    counts.answers++;
    counts.bytesIn += bytesIn;
    counts.bytesOut += bytesOut;
  }

  /** An answer was sent as it is, as too many encoders were open. */
  refused(): void {
    this.#refused++;
  }

  /** Returns the counts since the last call, and starts them anew. */
  take(): CompressionReport {
    const taken = { coded: this.#coded, refused: this.#refused };
    this.#coded = {};
    this.#refused = 0;
    return taken;
  }
}
