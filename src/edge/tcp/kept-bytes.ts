/** The first piece of memory, bytes; it doubles as more comes. */
const FIRST_BYTES = 512;

/** Keeps what a client sent before there was anywhere to send it, in one piece. */
export class KeptBytes {
  #memory: Buffer | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Copies bytes behind those that are kept. */
  add(bytes: Buffer): void {
    const size = this.#size + bytes.length;
    if (this.#memory === undefined || this.#memory.length < size) {
      const memory = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, size, 2 * this.#size));
      this.#memory?.copy(memory, 0, 0, this.#size);
      this.#memory = memory;
    }
    this.#memory.set(bytes, this.#size);
    this.#size = size;
  }

  /** All of them; valid until more are added. */
  get bytes(): Buffer {
    return this.#memory?.subarray(0, this.#size) ?? Buffer.alloc(0);
  }

  /** Hands them out, and forgets them. */
  take(): Buffer {
    const { bytes } = this;
    this.#memory = undefined;
    this.#size = 0;
    return bytes;
  }
}
