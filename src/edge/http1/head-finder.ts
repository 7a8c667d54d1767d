import { latin1, latin1Bytes } from './latin1.ts';

const NO_BYTES = Buffer.alloc(0);

/**
 * Finds the end of a head in what is read, however it is cut into pieces. Mostly a head comes in one read, and then it
 * is used where it stands. The object belongs to a connection.
 */
export class HeadFinder {
  /** The head that was found: up to the CRLF of its last line, as Latin-1. */
  text = '';
  /** The bytes that hold the head, from `from` on. They are valid until the next read or `forget`. */
  bytes: Buffer = NO_BYTES;
  from = 0;
  /** Where the content, or whatever follows the head, begins in the last read. */
  next = 0;
  /** The beginning of a head whose end did not come yet. */
  partial = '';
  /** Length of what was there before the last read. */
  checked = 0;
  /** Whether one empty line before a head is skipped (RFC 9112 §2.2). */
  readonly #skipsLine: boolean;
  #skipped = false;

  constructor(skipsLine: boolean) {
    this.#skipsLine = skipsLine;
  }

  /**
   * Looks in the bytes of `read` from `at` up to `end`.
   * @returns whether a head is complete; if not, see `partial`
   */
  find(read: Buffer, at: number, end: number): boolean {
    const headEnd = this.partial === '' ? findHeadEnd(read, at, end) : -1;
    if (headEnd < 0) return this.#gather(read, at, end);
    this.from = this.#skipsLine && headEnd > at && read[at] === 13 && read[at + 1] === 10 ? at + 2 : at;
    this.bytes = read;
    this.text = latin1(read, this.from, headEnd + 2);
    this.next = headEnd + 4;
    return true;
  }

  #gather(read: Buffer, at: number, end: number): boolean {
    let before = this.partial.length;
    let gathered = this.partial + latin1(read, at, end);
    if (this.#skipsLine && !this.#skipped && gathered.length > 2 && gathered.startsWith('\r\n')) {
      this.#skipped = true;
      gathered = gathered.slice(2);
      before -= 2;
    }
    this.checked = Math.max(0, before);
    const headEnd = gathered.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (headEnd < 0) {
      this.partial = gathered;
      return false;
    }
    this.forget();
    this.text = gathered.slice(0, headEnd + 2);
    this.bytes = latin1Bytes(this.text);
    this.from = 0;
    this.next = at + headEnd + 4 - before;
    return true;
  }

  /** Lets go of a head, or of the beginning of one: the read that it is part of may be 64 KiB. */
  forget(): void {
    this.bytes = NO_BYTES;
    this.partial = '';
    this.#skipped = false;
  }
}

/**
 * Returns the position of the CRLFCRLF that ends a head, at or after `from`; -1 when it is not before `end`. It looks
 * at one byte in four, which takes half the time of `indexOf` for a usual head, and does not look beyond `end`.
 */
export function findHeadEnd(bytes: Buffer, from: number, end: number): number {
  let last = from + 3;
  while (last < end) {
    const byte = bytes[last];
    if (byte === 13) last += 1;
    else if (byte !== 10) last += 4;
    else if (bytes[last - 1] === 13 && bytes[last - 2] === 10 && bytes[last - 3] === 13) return last - 3;
    else last += 2;
  }
  return -1;
}

/**
 * Whether a line ends with a bare LF, at or after `from`. Such a head cannot become valid, so its end is not waited
 * for.
 */
export function hasBareLineFeed(text: string, from = 0): boolean {
  for (let at = text.indexOf('\n', from); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (at === 0 || text.charCodeAt(at - 1) !== 13) return true;
  }
  return false;
}
