/** Streams that are remembered. */
const MOST = 128;

/**
 * The streams that we cut while their clients could still send on them: what is on its way is no breach of rules (RFC
 * 9113 §5.1). Where too many were cut to remember them all, older streams count as cut.
 */
export class CutStreams {
  readonly #ids: number[] = [];
  #next = 0;
  /** The highest stream that was forgotten. */
  #forgotten = 0;

  add(id: number): void {
    this.#forgotten = Math.max(this.#forgotten, this.#ids[this.#next] ?? 0);
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % MOST;
  }

  has(id: number): boolean {
    return id <= this.#forgotten || this.#ids.includes(id);
  }
}
