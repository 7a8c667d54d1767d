/** Bytes that came behind the request that is being served, in the pieces that they came in. */
export class PendingBytes {
  #pieces: Buffer[] | undefined;
  #size = 0;

  /** Bytes that wait. */
  get size(): number {
    return this.#size;
  }

  /** @param piece nobody else writes to its memory */
  add(piece: Buffer): void {
    this.#size += piece.length;
    if (this.#pieces === undefined) this.#pieces = [piece];
    else this.#pieces.push(piece);
  }

  /** All of them, which wait no more; undefined where there are none. Joined only now: once, however many packets they came in. */
  take(): Buffer | undefined {
    const pieces = this.#pieces;
    if (pieces === undefined) return undefined;
    this.clear();
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  clear(): void {
    this.#pieces = undefined;
    this.#size = 0;
  }
}
