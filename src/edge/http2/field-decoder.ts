import { latin1 } from '../http1/latin1.ts';
import type { FieldList } from './field-list.ts';
import { FieldTable, STATIC_SIZE, staticName, staticValue, TABLE_BYTES } from './field-table.ts';
import { decodeHuffman, mostDecoded } from './huffman.ts';

/** Bounds on the fields of one block. */
export interface BlockLimits {
  /** Number of fields. */
  readonly pairs: number;
  /** Bytes of all names and values. */
  readonly bytes: number;
}

/** Integers of more bits make no sense anywhere (RFC 7541 §5.1). */
const MOST_SHIFT = 21;

/** Where strings are decoded, whosever they are. */
let scratch = Buffer.allocUnsafeSlow(16 * 1024);

/** Decodes the fields that one client sends (RFC 7541). What is no block of fields leaves the tables of no use. */
export class FieldDecoder {
  /** The last block had more fields than it may have: some of them are left out. */
  isCut = false;
  /** Bytes of all names and values of the last block, those left out too. */
  expanded = 0;
  readonly #table = new FieldTable();
  #bytes: Buffer = scratch;
  #at = 0;
  #end = 0;

  /**
   * Decodes the bytes from `from` to `to`, which are a whole block.
   * @param list gets names and values in turn, as many as may be, and the first that is beyond
   * @returns whether they are one; if not, all of the connection is over (COMPRESSION_ERROR, RFC 9113 §4.3)
   */
  decode(bytes: Buffer, from: number, to: number, list: FieldList, limits: BlockLimits): boolean {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.isCut = false;
    this.expanded = 0;
    let mayResize = true;
    while (this.#at < to) {
      const first = bytes[this.#at] as number;
      if (first >> 5 === 1) {
        if (!mayResize || !this.#resize()) return false;
        continue;
      }
      mayResize = false;
      const isIndexed = first >= 0x80;
      const isAdded = !isIndexed && first >= 0x40;
      const index = this.#integer(isIndexed ? 0x7f : isAdded ? 0x3f : 0x0f);
      const name = index === 0 && !isIndexed ? this.#string() : this.#name(index);
      if (name === undefined) return false;
      const value = isIndexed ? this.#value(index) : this.#string();
      if (value === undefined) return false;
      if (isAdded) this.#table.add(name, value);
      if (this.expanded > limits.bytes || list.length >= 2 * limits.pairs) this.isCut = true;
      else list.push(name, value);
      this.expanded += name.length + value.length;
    }
    return true;
  }

  /** Sets the size of the table, which may change at the beginning of a block only (RFC 7541 §4.2). */
  #resize(): boolean {
    const size = this.#integer(0x1f);
    if (size < 0 || size > TABLE_BYTES) return false;
    this.#table.resize(size);
    return true;
  }

  #name(index: number): string | undefined {
    if (index <= 0) return undefined;
    if (index <= STATIC_SIZE) return staticName(index);
    const place = index - STATIC_SIZE - 1;
    return place < this.#table.count ? this.#table.name(place) : undefined;
  }

  /** @param index of a field that is there */
  #value(index: number): string {
    return index <= STATIC_SIZE ? staticValue(index) : this.#table.value(index - STATIC_SIZE - 1);
  }

  /**
   * Reads an integer (RFC 7541 §5.1).
   * @param most what the bits of its first byte come to at most, which is its mask
   * @returns -1: it is none, or too large
   */
  #integer(most: number): number {
    let value = (this.#bytes[this.#at++] as number) & most;
    if (value < most) return value;
    for (let shift = 0; this.#at < this.#end && shift <= MOST_SHIFT; shift += 7) {
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return -1;
  }

  /** Reads a string (RFC 7541 §5.2). */
  #string(): string | undefined {
    if (this.#at >= this.#end) return undefined;
    const isCoded = (this.#bytes[this.#at] as number) >= 0x80;
    const size = this.#integer(0x7f);
    const from = this.#at;
    if (size < 0 || size > this.#end - from) return undefined;
    this.#at = from + size;
    if (!isCoded) return latin1(this.#bytes, from, this.#at);
    const most = mostDecoded(size);
    if (most > scratch.length) scratch = Buffer.allocUnsafeSlow(most);
    const decoded = decodeHuffman(this.#bytes, from, this.#at, scratch);
    return decoded < 0 ? undefined : latin1(scratch, 0, decoded);
  }
}
