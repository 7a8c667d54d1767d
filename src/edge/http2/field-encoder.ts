import { writeLatin1 } from '../http1/latin1.ts';
import type { FieldList } from './field-list.ts';
import {
  ENTRY_OVERHEAD,
  FieldTable,
  STATIC_NAMES,
  STATIC_SIZE,
  staticName,
  staticValue,
  TABLE_BYTES,
} from './field-table.ts';

/** How a field is written that is in no table (RFC 7541 §6.2): its first bits, and the most that the rest holds. */
const ADDED = { bits: 0x40, most: 0x3f };
const PASSING = { bits: 0, most: 0x0f };
const SECRET = { bits: 0x10, most: 0x0f };
type Form = typeof ADDED;

/** Fields whose values are seldom the same again: they would only drive others out of the table. */
const CHANGING = ['age', 'content-length', 'content-range', 'etag', 'expires', 'last-modified', 'location'];
const OURS_CHANGING = ['x-request-id', 'server-timing', 'traceparent'];
/** Fields that nobody in between may compress: guesses beside them would show in the length (RFC 7541 §7.1.3). */
const SECRETS = ['set-cookie', 'authorization', 'proxy-authorization', 'cookie'];

const FORMS: ReadonlyMap<string, Form> = new Map([
  ...[...CHANGING, ...OURS_CHANGING].map((name) => [name, PASSING] as const),
  ...SECRETS.map((name) => [name, SECRET] as const),
]);

/** A field of a larger share of the table is not put into it. */
const MOST_ENTRY = TABLE_BYTES / 4;
/** Bytes that a field takes at most beyond its name and value: three integers. */
const FIELD_OVERHEAD = 12;
/** Bytes before the first field at most: two sizes of the table. */
const BLOCK_OVERHEAD = 8;

/** Returns how many bytes a block is at most. */
export function mostEncoded(list: FieldList): number {
  let size = BLOCK_OVERHEAD;
  for (let at = 0; at < list.length; at += 2)
    size += (list[at] as string).length + (list[at + 1] as string).length + FIELD_OVERHEAD;
  return size;
}

/**
 * Encodes the fields that are sent to one client (RFC 7541). Strings are written as they are: with what repeats in the
 * table, Huffman's code would save a tenth of a head of an answer for as much CPU as all the rest of it takes.
 */
export class FieldEncoder {
  readonly #table = new FieldTable();
  /** The client has yet to be told these sizes of the table, the smallest since the last block and the present one. */
  #told = TABLE_BYTES;
  #smallest = TABLE_BYTES;
  #out: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The client lets the table be so large (SETTINGS_HEADER_TABLE_SIZE), bytes. */
  limit(bytes: number): void {
    const size = Math.min(bytes, TABLE_BYTES);
    this.#table.resize(size);
    if (size < this.#smallest) this.#smallest = size;
  }

  /**
   * Writes a block.
   * @param list names and values in turn, of characters up to U+00FF
   * @param out has room for {@link mostEncoded} of them
   * @returns where it ends
   */
  encode(list: FieldList, out: Buffer, at: number): number {
    this.#out = out;
    this.#at = at;
    if (this.#table.most !== this.#told || this.#smallest !== this.#told) this.#tellSize();
    for (let index = 0; index < list.length; index += 2) this.#field(list[index] as string, list[index + 1] as string);
    return this.#at;
  }

  #tellSize(): void {
    const { most } = this.#table;
    if (this.#smallest < most) this.#integer(0x20, 0x1f, this.#smallest);
    this.#integer(0x20, 0x1f, most);
    this.#told = most;
    this.#smallest = most;
  }

  #field(name: string, value: string): void {
    const named = STATIC_NAMES.get(name) ?? 0;
    for (let index = named; index !== 0 && index <= STATIC_SIZE && staticName(index) === name; index++) {
      if (staticValue(index) !== value || value === '') continue;
      this.#out[this.#at++] = 0x80 | index;
      return;
    }
    const form = FORMS.get(name) ?? ADDED;
    if (form === ADDED && this.#byIndex(name, value)) return;
    const isLarge = name.length + value.length + ENTRY_OVERHEAD > MOST_ENTRY;
    const { bits, most } = isLarge && form === ADDED ? PASSING : form;
    this.#integer(bits, most, named);
    if (named === 0) this.#string(name);
    this.#string(value);
    if (bits === ADDED.bits) this.#table.add(name, value);
  }

  /** Writes the index of a field that is in the table. @returns false: it is not */
  #byIndex(name: string, value: string): boolean {
    const table = this.#table;
    for (let place = 0; place < table.count; place++) {
      if (table.value(place) !== value || table.name(place) !== name) continue;
      this.#integer(0x80, 0x7f, STATIC_SIZE + 1 + place);
      return true;
    }
    return false;
  }

  #integer(bits: number, most: number, value: number): void {
    if (value < most) {
      this.#out[this.#at++] = bits | value;
      return;
    }
    this.#out[this.#at++] = bits | most;
    let rest = value - most;
    for (; rest >= 0x80; rest >>>= 7) this.#out[this.#at++] = (rest & 0x7f) | 0x80;
    this.#out[this.#at++] = rest;
  }

  #string(text: string): void {
    this.#integer(0, 0x7f, text.length);
    this.#at += writeLatin1(this.#out, text, this.#at);
  }
}
