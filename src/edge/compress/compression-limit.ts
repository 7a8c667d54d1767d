/** Bounds the encoders that are open at once: each of them takes a MiB or two. */
export class CompressionLimit {
  /** Most of them. */
  most = Number.POSITIVE_INFINITY;
  #open = 0;

  get open(): number {
    return this.#open;
  }

  /** @returns false where there are too many already */
  take(): boolean {
    if (this.#open >= this.most) return false;
    this.#open++;
    return true;
  }

  release(): void {
    this.#open--;
  }
}
