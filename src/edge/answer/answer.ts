import type { Http1Connection } from '../client/http1-connection.ts';
import { latin1 } from '../http1/latin1.ts';
import { Framing, type FramingKind } from '../http1/request.ts';
import { JOIN_BYTES } from '../io/joined-write.ts';
import { headLength } from './responses.ts';

/** Pieces of a chunked answer up to this size are gathered into one write; Node writes strings below 16 KiB without copying them to the heap. */
const GATHER_BYTES = 12 * 1024;
/** The same for a body of a known length, of which larger pieces are joined without going over the heap. */
const GATHER_LENGTH_BYTES = 2 * 1024;

/**
 * What an exchange sends to its client. What comes within one read of the upstream is gathered, as far as it is small,
 * and leaves in one write at the end of the read. The methods tell whether the client keeps up with it.
 */
export class Answer {
  /** How its body is delimited. */
  framing: FramingKind = Framing.NONE;
  /** Bytes sent so far. */
  bytes = 0;
  /** Those of its head and of interim heads before it. */
  headBytes = 0;
  readonly #client: Http1Connection;
  #gathered = '';

  constructor(client: Http1Connection) {
    this.#client = client;
  }

  /** Forgets the answer before. */
  begin(): void {
    this.framing = Framing.NONE;
    this.bytes = 0;
    this.headBytes = 0;
    this.#gathered = '';
  }

  /** A head, gathered: an interim one, or the final one. */
  head(text: string): void {
    this.#gathered += text;
    this.headBytes = this.bytes + this.#gathered.length;
  }

  /** A piece of the body; its bytes are copied, or written, before this returns. */
  body(bytes: Buffer, start: number, end: number): boolean {
    const size = end - start;
    const chunked = this.framing === Framing.CHUNKED;
    if (chunked) this.#gathered += `${size.toString(16)}\r\n`;
    if (this.#gathered.length + size <= (chunked ? GATHER_BYTES : GATHER_LENGTH_BYTES)) {
      this.#gathered += latin1(bytes, start, end);
      if (chunked) this.#gathered += '\r\n';
      return true;
    }
    if (this.#gathered === '') return this.copy(bytes, start, end);
    if (!chunked && this.#gathered.length + size <= JOIN_BYTES) return this.#joined(bytes.subarray(start, end));
    this.#client.cork();
    this.flush();
    this.copy(bytes, start, end);
    if (chunked) this.#gathered = '\r\n';
    this.flush();
    return this.#client.uncork();
  }

  /** Bytes as they are; the read buffer is used again at once, and what is written may wait. */
  copy(bytes: Buffer, start: number, end: number): boolean {
    const copy = Buffer.from(bytes.subarray(start, end));
    this.bytes += copy.length;
    return this.#client.writeOwn(copy);
  }

  #joined(piece: Buffer): boolean {
    const head = this.#gathered;
    this.#gathered = '';
    this.bytes += head.length + piece.length;
    return this.#client.writeJoined(head, piece);
  }

  /** The body is complete: sends all that is left. */
  end(trailers: string): boolean {
    if (this.framing === Framing.CHUNKED) this.#gathered += `0\r\n${trailers}\r\n`;
    return this.flush();
  }

  /** Sends what was gathered. */
  flush(): boolean {
    if (this.#gathered === '') return true;
    const gathered = this.#gathered;
    this.#gathered = '';
    this.bytes += gathered.length;
    return this.#client.write(gathered);
  }

  /** A whole message of our own. */
  whole(message: string): void {
    this.flush();
    this.headBytes = this.bytes + headLength(message);
    this.bytes += message.length;
    this.#client.write(message);
  }
}
