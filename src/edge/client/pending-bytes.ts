/** Keeps the bytes that came behind the request that is being served, in the pieces in which they came. */
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

  /**
   * Hands all of them over; undefined where there are none. They are joined only here, however many packets brought
   * them.
   */
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
