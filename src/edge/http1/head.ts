import { FIELD_VALUE, TCHAR } from '../io/http-syntax.ts';
import { Fault, type FaultText } from './faults.ts';
import { latin1 } from './latin1.ts';

/** What a field means to a gateway. A field that it does not act on is OTHER, and passes through unread. */
export const Field = {
  OTHER: 0,
  HOST: 1,
  CONTENT_LENGTH: 2,
  TRANSFER_ENCODING: 3,
  CONNECTION: 4,
  /**
   * Hop-by-hop whether Connection names it or not (RFC 9110 §7.6.1): Keep-Alive, Proxy-Connection, Proxy-Authorization
   * …
   */
  HOP: 5,
  TE: 6,
  UPGRADE: 7,
  EXPECT: 8,
  X_FORWARDED_FOR: 9,
  /** X-Real-IP, X-Forwarded-* except X-Forwarded-For, and fields that some frameworks take for the target. */
  FORWARDING: 10,
  X_REQUEST_ID: 11,
  /** A name that becomes another field's name when `_` counts as `-`: never forwarded. */
  ALIAS: 12,
  MAX_FORWARDS: 13,
  DATE: 14,
  /** Forwarded (RFC 7239). */
  FORWARDED: 15,
} as const;

type FieldKind = (typeof Field)[keyof typeof Field];

const CODE_LOWER = 0x20;

/**
 * Returns the kind of a field name. It looks at length and first letter before it compares anything: of a browser's
 * usual twelve fields, two or three are compared.
 */
function kindOf(bytes: Buffer, start: number, end: number): FieldKind {
  const length = end - start;
  switch ((bytes[start] as number) | CODE_LOWER) {
    case 99: // c
      if (length === 10 && same(bytes, start, 'connection')) return Field.CONNECTION;
      if (length === 14 && same(bytes, start, 'content-length')) return Field.CONTENT_LENGTH;
      if (length === 14 && same(bytes, start, 'content_length')) return Field.ALIAS;
      return Field.OTHER;
    case 100: // d
      return length === 4 && same(bytes, start, 'date') ? Field.DATE : Field.OTHER;
    case 101: // e
      return length === 6 && same(bytes, start, 'expect') ? Field.EXPECT : Field.OTHER;
    case 102: // f
      return length === 9 && same(bytes, start, 'forwarded') ? Field.FORWARDED : Field.OTHER;
    case 104: // h
      return length === 4 && same(bytes, start, 'host') ? Field.HOST : Field.OTHER;
    case 107: // k
      return length === 10 && same(bytes, start, 'keep-alive') ? Field.HOP : Field.OTHER;
    case 109: // m
      return length === 12 && same(bytes, start, 'max-forwards') ? Field.MAX_FORWARDS : Field.OTHER;
    case 112: // p
      if (length === 16 && same(bytes, start, 'proxy-connection')) return Field.HOP;
      if (length === 18 && same(bytes, start, 'proxy-authenticate')) return Field.HOP;
      if (length === 19 && same(bytes, start, 'proxy-authorization')) return Field.HOP;
      return Field.OTHER;
    case 116: // t
      if (length === 2 && same(bytes, start, 'te')) return Field.TE;
      if (length === 17 && same(bytes, start, 'transfer-encoding')) return Field.TRANSFER_ENCODING;
      if (length === 17 && same(bytes, start, 'transfer_encoding')) return Field.ALIAS;
      return Field.OTHER;
    case 117: // u
      return length === 7 && same(bytes, start, 'upgrade') ? Field.UPGRADE : Field.OTHER;
    case 120: // x
      return kindOfX(latin1(bytes, start, Math.min(end, start + LONGEST_X)).toLowerCase(), length);
    default:
      return Field.OTHER;
  }
}

/** Other fields by which a proxy describes the request, and which a client must not set. */
const TOLD = new Set(['x-real-ip', 'x-original-url', 'x-rewrite-url']);
/** No name beginning with X has to be read further than this. */
const LONGEST_X = 'x-forwarded-for'.length;

/** @param name its beginning, of `length` characters in all */
function kindOfX(name: string, length: number): FieldKind {
  if (length === name.length) {
    if (name === 'x-forwarded-for') return Field.X_FORWARDED_FOR;
    if (name === 'x-request-id') return Field.X_REQUEST_ID;
    if (TOLD.has(name)) return Field.FORWARDING;
  }
  if (name.startsWith('x-forwarded-')) return Field.FORWARDING;
  if (!name.includes('_')) return Field.OTHER;
  const dashed = name.replaceAll('_', '-');
  if (dashed.startsWith('x-forwarded-')) return Field.ALIAS;
  return length === name.length && (TOLD.has(dashed) || dashed === 'x-request-id') ? Field.ALIAS : Field.OTHER;
}

/** Whether `bytes` at `start` read `lower`, ASCII case-insensitively; `lower` holds letters, `-` and `_` only. */
function same(bytes: Buffer, start: number, lower: string): boolean {
  for (let i = 0; i < lower.length; i++) {
    const want = lower.charCodeAt(i);
    const code = bytes[start + i] as number;
    if (code !== want && !(want >= 97 && (code | CODE_LOWER) === want && code < 91 && code > 64)) return false;
  }
  return true;
}

/** Tells what is wrong with a field's name that ends at `nameEnd`. */
function nameFault(bytes: Buffer, start: number, nameEnd: number): FaultText {
  const code = bytes[nameEnd];
  const isBlank = code === 32 || code === 9;
  if (nameEnd === start) return isBlank ? Fault.FOLDED : code === 58 ? Fault.NO_NAME : Fault.BAD_NAME;
  if (isBlank) return Fault.SPACE_BEFORE_COLON;
  return code === 13 ? Fault.NO_COLON : code === 10 ? Fault.BARE_LF : Fault.BAD_NAME;
}

/** Tells what is wrong with a byte in a field's value. */
function valueFault(code: number | undefined): FaultText {
  return code === 13 ? Fault.BARE_CR : code === 10 ? Fault.BARE_LF : Fault.CONTROL;
}

const SLOTS = 4;

/**
 * One message head, parsed strictly into positions of its text. A field is copied only when somebody asks for it. The
 * object belongs to a connection, and is used again for each message.
 */
export class Head {
  /** The whole head, from the start line to the last field's CRLF, as Latin-1. */
  text = '';
  /** End of the start line, before its CRLF. */
  lineEnd = 0;
  /** Where the fields begin. */
  #fieldsAt = 0;
  /** The fields that were read last, from the CRLF before them on, if they were well-formed; else empty. */
  #fields = '';
  /** Number of fields. */
  count = 0;
  /** What is wrong with the last malformed head. */
  fault: FaultText = Fault.BAD_NAME;
  /**
   * Per field: start of name, end of name, start of value, end of value, counted from where the fields begin. The line
   * ends where the next field starts.
   * Plain arrays are used because typed ones take memory outside of the heap, 1 µs of each new connection.
   */
  readonly #positions: number[] = [];
  readonly #kinds: FieldKind[] = [];
  /** Fields that are not passed on. */
  readonly #dropped: boolean[] = [];
  /** A field had white space before its colon, so all fields are written anew. */
  #irregular = false;

  /**
   * Reads the fields of `text`, which ends with the CRLF of its last line (the empty line not included). It is strict:
   * a name of tchars directly followed by a colon, no folding, no bare CR or LF, no other control (RFC 9112 §5).
   * @param bytes hold the text from `from` on: a byte takes 1 ns to look at, a character of a string 3
   * @param spaceBeforeColon accept white space before the colon, as a gateway must in a response (§5.1)
   * @returns whether the head is well-formed; with more than `maxFields` fields, `count` is above `maxFields`
   */
  parse(text: string, bytes: Buffer, from: number, maxFields: number, spaceBeforeColon: boolean): boolean {
    this.text = text;
    const lineEnd = text.indexOf('\r\n');
    // The loops below read no further than the last CRLF.
    if (lineEnd < 0 || !text.endsWith('\r\n')) {
      this.count = 0;
      return this.#broken(Fault.BARE_LF);
    }
    this.lineEnd = lineEnd;
    this.#fieldsAt = lineEnd + 2;
    const fields = text.slice(lineEnd);
    // Whoever keeps a connection mostly sends the same fields again, which takes a tenth of the time to see.
    if (fields === this.#fields && this.count <= maxFields) {
      // So the text of the last head can be freed.
      this.#fields = fields;
      for (let index = 0; index < this.count; index++) this.#dropped[index] = false;
      return true;
    }
    this.#fields = '';
    this.count = 0;
    this.#irregular = false;
    const base = from + lineEnd + 2;
    const end = from + text.length;
    let at = base;
    while (at < end) {
      if (this.count >= maxFields) {
        this.count = maxFields + 1;
        return true;
      }
      const start = at;
      while (TCHAR[bytes[at] as number] === 1) at++;
      const nameEnd = at;
      if (spaceBeforeColon) while (bytes[at] === 32 || bytes[at] === 9) at++;
      if (nameEnd === start || bytes[at] !== 58) return this.#broken(nameFault(bytes, start, nameEnd));
      at++;
      while (bytes[at] === 32 || bytes[at] === 9) at++;
      const valueStart = at;
      while (FIELD_VALUE[bytes[at] as number] === 1) at++;
      if (bytes[at] !== 13 || bytes[at + 1] !== 10) return this.#broken(valueFault(bytes[at]));
      let valueEnd = at;
      while (valueEnd > valueStart && (bytes[valueEnd - 1] === 32 || bytes[valueEnd - 1] === 9)) valueEnd--;
      at += 2;
      if (bytes[nameEnd] !== 58) this.#irregular = true;
      const index = this.count++;
      const slot = index * SLOTS;
      const positions = this.#positions;
      positions[slot] = start - base;
      positions[slot + 1] = nameEnd - base;
      positions[slot + 2] = valueStart - base;
      positions[slot + 3] = valueEnd - base;
      this.#kinds[index] = kindOf(bytes, start, nameEnd);
      this.#dropped[index] = false;
    }
    this.#fields = fields;
    return true;
  }

  #broken(fault: FaultText): false {
    this.#fields = '';
    this.fault = fault;
    return false;
  }

  kind(index: number): FieldKind {
    return this.#kinds[index] as FieldKind;
  }

  /** A field's name as it was sent. */
  name(index: number): string {
    return this.#between(index * SLOTS);
  }

  /** A field's value without the white space around it. */
  value(index: number): string {
    return this.#between(index * SLOTS + 2);
  }

  #between(slot: number): string {
    const positions = this.#positions;
    const at = this.#fieldsAt;
    return this.text.slice(at + (positions[slot] as number), at + (positions[slot + 1] as number));
  }

  /** Leaves a field out of what {@link kept} gives. */
  drop(index: number): void {
    this.#dropped[index] = true;
  }

  /**
   * Leaves out all fields of these names (lower case), whatever their kind. One pass serves all names: a pass for each
   * took 40 ms for a head of 32 KiB that consists of names and fields.
   */
  dropNamed(names: ReadonlySet<string>): void {
    if (names.size === 0) return;
    for (let index = 0; index < this.count; index++) {
      if (names.has(this.name(index).toLowerCase())) this.#dropped[index] = true;
    }
  }

  /**
   * Returns the value of the first field of a name (lower case), or undefined. It is for rare look-ups, not for every
   * request.
   */
  get(lower: string): string | undefined {
    const index = this.find(lower);
    return index < 0 ? undefined : this.value(index);
  }

  /** Returns the values of all fields of a name (lower case) as one list (RFC 9110 §5.3), or undefined. */
  list(lower: string): string | undefined {
    let list: string | undefined;
    for (let index = this.find(lower); index >= 0; index = this.find(lower, index + 1)) {
      list = list === undefined ? this.value(index) : `${list}, ${this.value(index)}`;
    }
    return list;
  }

  /** Returns the place of the first field of a name (lower case), from a place on; -1: there is none. */
  find(lower: string, from = 0): number {
    for (let index = from; index < this.count; index++) {
      const slot = index * SLOTS;
      const length = (this.#positions[slot + 1] as number) - (this.#positions[slot] as number);
      if (length === lower.length && this.name(index).toLowerCase() === lower) return index;
    }
    return -1;
  }

  /** Whether a field is left out of what {@link kept} gives. */
  isDropped(index: number): boolean {
    return this.#dropped[index] === true;
  }

  /**
   * Returns all fields that were not dropped, as they were sent, each with its CRLF. Runs of them are one slice.
   * @param withLine put the start line before them, as it was sent
   */
  kept(withLine = false): string {
    const { count, text } = this;
    let out = '';
    if (this.#irregular) {
      if (withLine) out = text.slice(0, this.lineEnd + 2);
      for (let index = 0; index < count; index++) {
        if (this.#dropped[index] === false) out += `${this.name(index)}: ${this.value(index)}\r\n`;
      }
      return out;
    }
    let runStart = withLine ? 0 : -1;
    for (let index = 0; index < count; index++) {
      if (this.#dropped[index] === true) {
        if (runStart >= 0) out += text.slice(runStart, this.#startOf(index));
        runStart = -1;
      } else if (runStart < 0) {
        runStart = this.#startOf(index);
      }
    }
    return runStart < 0 ? out : out + text.slice(runStart);
  }

  #startOf(index: number): number {
    return this.#fieldsAt + (this.#positions[index * SLOTS] as number);
  }
}
