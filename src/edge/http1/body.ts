import { afterExtension, Extension, type ExtensionState, readExtension } from './chunk-extension.ts';
import { Fault, type FaultText } from './faults.ts';
import { Framing, type FramingKind } from './framing.ts';
import { Head } from './head.ts';
import { latin1, latin1Bytes } from './latin1.ts';

/** What {@link BodyReader.next} found. */
export const BodyStep = {
  /** All given bytes are used up, and more must come. */
  MORE: 0,
  /** Content came, from `dataStart` to `dataEnd` of the given bytes. */
  DATA: 1,
  /** The body ended; the bytes from `at` on belong to what follows. */
  END: 2,
  /** The framing is broken, so nothing after this point can be trusted. */
  BROKEN: 3,
} as const;
export type BodyStepKind = (typeof BodyStep)[keyof typeof BodyStep];

const State = {
  SIZE: 0,
  EXTENSION: 1,
  SIZE_LF: 2,
  DATA: 3,
  DATA_CR: 4,
  DATA_LF: 5,
  TRAILERS: 6,
  DONE: 7,
} as const;

/** Longest chunk size in hexadecimal digits: 2⁵² bytes. */
const MAX_SIZE_DIGITS = 13;
const MAX_TRAILERS = 64;

/** Bounds on what a chunked body carries beside its data (CVE-2024-22019), bytes. */
interface BodyLimits {
  chunkExtensions: number;
  trailers: number;
}

const NO_LIMITS: BodyLimits = { chunkExtensions: 0, trailers: 0 };

/**
 * Reads one body of any framing, strictly (RFC 9112 §6, §7.1). Chunk sizes are bare hexadecimal digits, and exactly
 * CRLF follows the data. Extensions, and the white space that §7.1.1 lets stand before one, are checked, counted and
 * dropped. Nothing is copied: the caller loops over `next`.
 */
export class BodyReader {
  /** Position in the given bytes up to which all is read. */
  at = 0;
  dataStart = 0;
  dataEnd = 0;
  /** Trailer fields of a chunked body, checked, without the forbidden ones; each ends with CRLF. */
  trailers = '';
  /** What is wrong with the last broken body. */
  fault: FaultText = Fault.BAD_CHUNK_SIZE;
  #framing: FramingKind = Framing.NONE;
  #remaining = 0;
  #state: number = State.DONE;
  #digits = 0;
  #extension: ExtensionState = Extension.BEFORE;
  #extensionBytes = 0;
  #trailerText = '';
  #limits: BodyLimits = NO_LIMITS;

  /** Begins a body. `length` counts for {@link Framing.LENGTH} only. */
  begin(framing: FramingKind, length: number, limits: BodyLimits): void {
    this.#framing = framing;
    this.trailers = '';
    if (framing === Framing.CHUNKED) {
      this.#state = State.SIZE;
      this.#remaining = 0;
      this.#digits = 0;
      this.#extensionBytes = 0;
      this.#trailerText = '';
      this.#limits = limits;
    } else {
      this.#remaining = framing === Framing.CLOSE ? Number.POSITIVE_INFINITY : framing === Framing.LENGTH ? length : 0;
      this.#state = this.#remaining > 0 ? State.DATA : State.DONE;
    }
  }

  /** Whether the body has ended. */
  get done(): boolean {
    return this.#state === State.DONE;
  }

  /** Whether the body lasts until the connection's end, which then is no failure. */
  get endsWithConnection(): boolean {
    return this.#framing === Framing.CLOSE;
  }

  /** Reads on in `bytes` from `at` (set by the caller before the first call) to `end`. */
  next(bytes: Buffer, end: number): BodyStepKind {
    if (this.#state === State.DONE) return BodyStep.END;
    if (this.#framing === Framing.CHUNKED) return this.#nextChunked(bytes, end);
    if (this.at >= end) return BodyStep.MORE;
    return this.#take(end);
  }

  #take(end: number): BodyStepKind {
    const size = Math.min(this.#remaining, end - this.at);
    this.dataStart = this.at;
    this.at += size;
    this.dataEnd = this.at;
    this.#remaining -= size;
    if (this.#remaining === 0) this.#state = this.#framing === Framing.CHUNKED ? State.DATA_CR : State.DONE;
    return BodyStep.DATA;
  }

  #nextChunked(bytes: Buffer, end: number): BodyStepKind {
    while (this.at < end) {
      const code = bytes[this.at] as number;
      switch (this.#state) {
        case State.SIZE: {
          const digit = hexDigit(code);
          if (digit >= 0) {
            if (++this.#digits > MAX_SIZE_DIGITS) return this.#broken(Fault.BAD_CHUNK_SIZE);
            this.#remaining = this.#remaining * 16 + digit;
          } else if (this.#digits === 0) {
            return this.#broken(Fault.BAD_CHUNK_SIZE);
          } else {
            this.#extension = afterExtension(code);
            if (this.#extension === Extension.BROKEN) return this.#broken(Fault.BAD_CHUNK_SIZE);
            this.#state = this.#extension === Extension.END ? State.SIZE_LF : State.EXTENSION;
          }
          this.at++;
          break;
        }
        case State.EXTENSION:
          if (++this.#extensionBytes > this.#limits.chunkExtensions) return this.#broken(Fault.EXTENSIONS_TOO_LONG);
          this.#extension = readExtension(this.#extension, code);
          if (this.#extension === Extension.BROKEN) return this.#broken(Fault.BAD_EXTENSION);
          if (this.#extension === Extension.END) this.#state = State.SIZE_LF;
          this.at++;
          break;
        case State.SIZE_LF:
          if (code !== 10) return this.#broken(Fault.BARE_CR);
          this.at++;
          this.#digits = 0;
          this.#state = this.#remaining === 0 ? State.TRAILERS : State.DATA;
          break;
        case State.DATA:
          return this.#take(end);
        case State.DATA_CR:
          if (code !== 13) return this.#broken(Fault.BAD_CHUNK_END);
          this.at++;
          this.#state = State.DATA_LF;
          break;
        case State.DATA_LF:
          if (code !== 10) return this.#broken(Fault.BAD_CHUNK_END);
          this.at++;
          this.#state = State.SIZE;
          break;
        case State.TRAILERS: {
          const step = this.#readTrailers(bytes, end);
          if (step !== BodyStep.MORE) return step;
          break;
        }
        default:
          return BodyStep.END;
      }
    }
    return this.#state === State.DONE ? BodyStep.END : BodyStep.MORE;
  }

  #broken(fault: FaultText): BodyStepKind {
    this.fault = fault;
    return BodyStep.BROKEN;
  }

  /** Collects the trailer section up to its empty line, across reads. */
  #readTrailers(bytes: Buffer, end: number): BodyStepKind {
    while (this.at < end) {
      const lf = bytes.indexOf(10, this.at);
      const stop = lf < 0 || lf >= end ? end : lf + 1;
      this.#trailerText += latin1(bytes, this.at, stop);
      this.at = stop;
      if (this.#trailerText.length > this.#limits.trailers) return this.#broken(Fault.TRAILERS_TOO_LONG);
      const text = this.#trailerText;
      if (!text.endsWith('\n')) continue;
      if (!text.endsWith('\r\n')) return this.#broken(Fault.BAD_TRAILERS);
      if (text === '\r\n' || text.endsWith('\r\n\r\n')) {
        this.#state = State.DONE;
        return this.#checkTrailers(text.slice(0, -2)) ? BodyStep.END : this.#broken(Fault.BAD_TRAILERS);
      }
    }
    return BodyStep.MORE;
  }

  #checkTrailers(text: string): boolean {
    const checked = text === '' ? '' : checkedTrailers(text);
    if (checked === undefined) return false;
    this.trailers = checked;
    return true;
  }
}

/**
 * Returns trailer fields, each ending with CRLF, without those that may be none; undefined where they are malformed or
 * too many.
 * @param fields how many they have to be, where that is known
 */
export function checkedTrailers(text: string, fields?: number): string | undefined {
  const head = new Head();
  const lines = `\r\n${text}`;
  if (!head.parse(lines, latin1Bytes(lines), 0, MAX_TRAILERS, false) || head.count > MAX_TRAILERS) return undefined;
  if (fields !== undefined && head.count !== fields) return undefined;
  for (let index = 0; index < head.count; index++) {
    if (isForbiddenTrailer(head.name(index).toLowerCase())) head.drop(index);
  }
  return head.kept();
}

/** Fields that frame, route, authenticate or condition a message may not be trailers (RFC 9110 §6.5.1). */
const FORBIDDEN_TRAILERS = new Set(
  (
    'content-length transfer-encoding host connection keep-alive proxy-connection te trailer upgrade expect ' +
    'authorization proxy-authorization proxy-authenticate www-authenticate cookie set-cookie cache-control ' +
    'max-forwards range if-match if-none-match if-modified-since if-unmodified-since if-range age date expires ' +
    'location retry-after vary warning content-encoding content-type content-range x-real-ip x-request-id forwarded'
  ).split(' '),
);

function isForbiddenTrailer(name: string): boolean {
  const dashed = name.replaceAll('_', '-');
  return FORBIDDEN_TRAILERS.has(dashed) || dashed.startsWith('x-forwarded-');
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
