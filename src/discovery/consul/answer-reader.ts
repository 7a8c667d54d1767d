import { PilotlightError } from '../../model/errors.ts';
import type { AnswerRoom } from './answer-room.ts';

/** No answer is larger, bytes. */
export const BODY_LIMIT = 32 * 2 ** 20;
/** Most of an answer's head, and of what is around the parts of its body, bytes. */
const HEAD_LIMIT = 64 * 1024;
const LINE_FEED = 10;

/**
 * What comes next. `part` and `whole` are bytes of the body, of which `#left` are to come; `after-part` is the line that
 * ends a part.
 */
type Phase = 'status' | 'fields' | 'size' | 'part' | 'after-part' | 'trailers' | 'whole' | 'until-end' | 'done';

/** Reads one answer of HTTP/1.1 to a GET, bit by bit; its body goes into a room. */
export class AnswerReader {
  status = 0;
  /** By their names in lower case; of several with the same name the last one. */
  readonly headers = new Map<string, string>();
  readonly #room: AnswerRoom;
  #phase: Phase = 'status';
  #line = '';
  /** What lines took since the last part, bytes. */
  #lineBytes = 0;
  #left = 0;
  #isKept = true;

  constructor(room: AnswerRoom) {
    this.#room = room;
    room.clear();
  }

  get hasHead(): boolean {
    return this.#phase !== 'status' && this.#phase !== 'fields';
  }

  get isDone(): boolean {
    return this.#phase === 'done';
  }

  /** Whether the connection may carry another answer after this one. */
  get isKept(): boolean {
    return this.isDone && this.#isKept;
  }

  /** Takes over the first `size` bytes. @throws DISCOVERY_FAILED */
  read(bytes: Buffer, size = bytes.length): void {
    let at = 0;
    while (at < size) {
      if (this.#phase === 'done') {
        // Nobody asked for that.
        this.#isKept = false;
        return;
      }
      at = this.#isBody ? this.#readBody(bytes, at, size) : this.#readLine(bytes, at, size);
    }
  }

  /** The connection has ended. @returns whether the answer is whole */
  end(): boolean {
    if (this.#phase === 'until-end') this.#phase = 'done';
    this.#isKept = false;
    return this.isDone;
  }

  get #isBody(): boolean {
    return this.#phase === 'part' || this.#phase === 'whole' || this.#phase === 'until-end';
  }

  #readBody(bytes: Buffer, at: number, size: number): number {
    const to = this.#phase === 'until-end' ? size : Math.min(size, at + this.#left);
    if (this.#room.length + to - at > BODY_LIMIT) throw tooLarge();
    this.#room.append(bytes, at, to);
    this.#left -= to - at;
    if (this.#phase !== 'until-end' && this.#left === 0) this.#phase = this.#phase === 'part' ? 'after-part' : 'done';
    return to;
  }

  #readLine(bytes: Buffer, at: number, size: number): number {
    const found = bytes.indexOf(LINE_FEED, at);
    const isWhole = found >= 0 && found < size;
    const to = isWhole ? found : size;
    this.#lineBytes += to - at + 1;
    if (this.#lineBytes > HEAD_LIMIT) throw notHttp();
    this.#line += bytes.toString('latin1', at, to);
    if (!isWhole) return size;
    const line = this.#line.endsWith('\r') ? this.#line.slice(0, -1) : this.#line;
    this.#line = '';
    this.#phase = this.#after(line);
    if (this.#isBody) this.#lineBytes = 0;
    return to + 1;
  }

  #after(line: string): Phase {
    switch (this.#phase) {
      case 'status': {
        const [, minor, status] = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/.exec(line) ?? [];
        if (status === undefined) throw notHttp();
        this.status = Number(status);
        if (minor === '0') this.#isKept = false;
        return 'fields';
      }
      case 'fields': {
        if (line === '') return this.#afterHead();
        const [, name, value] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
        if (name === undefined || value === undefined) throw notHttp();
        this.headers.set(name.toLowerCase(), value);
        return 'fields';
      }
      case 'size': {
        const [, size] = /^([\da-f]{1,8})[ \t]*(?:;.*)?$/i.exec(line) ?? [];
        if (size === undefined) throw notHttp();
        this.#left = Number.parseInt(size, 16);
        return this.#left === 0 ? 'trailers' : 'part';
      }
      case 'after-part':
        if (line !== '') throw notHttp();
        return 'size';
      default:
        return line === '' ? 'done' : 'trailers';
    }
  }

  #afterHead(): Phase {
    const { status, headers } = this;
    if (status < 200) {
      headers.clear();
      return 'status';
    }
    if (/\bclose\b/i.test(headers.get('connection') ?? '')) this.#isKept = false;
    if (status === 204 || status === 304) return 'done';
    const coding = headers.get('transfer-encoding');
    if (coding !== undefined) {
      if (coding.toLowerCase() !== 'chunked') throw notHttp();
      return 'size';
    }
    const length = headers.get('content-length');
    if (length === undefined) return 'until-end';
    if (!/^\d{1,15}$/.test(length)) throw notHttp();
    this.#left = Number(length);
    if (this.#left > BODY_LIMIT) throw tooLarge();
    return this.#left === 0 ? 'done' : 'whole';
  }
}

function notHttp(): PilotlightError {
  return new PilotlightError('DISCOVERY_FAILED', 'sends something that is no answer of HTTP');
}

export function tooLarge(): PilotlightError {
  return new PilotlightError('DISCOVERY_FAILED', 'sends an answer of more than 32 MiB');
}
