import { Duplex } from 'node:stream';

/** A connection that brings recorded bytes, ends, and takes no notice of what is written to it. */
export class Tape extends Duplex {
  readonly #bytes: Buffer;

  /** @param text Latin-1 */
  constructor(text: string) {
    super();
    this.#bytes = Buffer.from(text, 'latin1');
  }

  play(): void {
    this.push(this.#bytes);
    this.push(null);
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done();
  }
}
