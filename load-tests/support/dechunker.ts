/** Takes chunks apart as they come. */
export class Dechunker {
  ended = false;
  #line = '';
  #left = 0;
  #state: 'size' | 'data' | 'after' = 'size';

  read(bytes: Buffer, take: (piece: Buffer) => void): void {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === 'data') {
        const piece = bytes.subarray(at, at + this.#left);
        take(piece);
        at += piece.length;
        this.#left -= piece.length;
        if (this.#left === 0) this.#state = 'after';
      } else {
        at = this.#readLine(bytes, at);
      }
    }
  }

  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(10, at);
    if (end < 0) {
      this.#line += bytes.toString('latin1', at);
      return bytes.length;
    }
    const line = this.#line + bytes.toString('latin1', at, end);
    this.#line = '';
    if (this.#state === 'after') {
      this.#state = 'size';
    } else if (line !== '\r') {
      this.#left = Number.parseInt(line, 16);
      this.ended = this.#left === 0;
      if (!this.ended) this.#state = 'data';
    }
    return end + 1;
  }
}
