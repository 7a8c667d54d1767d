/** The first piece of memory, bytes. */
const LEAST = 64 * 1024;

/** Memory for one answer after another: it grows to what the largest took, so that big ones leave no garbage behind. */
export class AnswerRoom {
  #memory: Buffer = Buffer.alloc(0);
  #length = 0;

  /** What is in it, until it is cleared. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
  }

  append(source: Buffer, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(LEAST, length, this.#memory.length * 2));
      this.#memory.copy(larger, 0, 0, this.#length);
      this.#memory = larger;
    }
    source.copy(this.#memory, this.#length, from, to);
    this.#length = length;
  }
}

/** Two rooms: while an answer is compared with the one before it, both have to be there. */
export class AnswerRooms {
  #free = new AnswerRoom();
  #kept = new AnswerRoom();

  /** Where the next answer goes. */
  get free(): AnswerRoom {
    return this.#free;
  }

  /** What was read last stays until what is read next does. */
  keep(): void {
    [this.#free, this.#kept] = [this.#kept, this.#free];
  }
}
