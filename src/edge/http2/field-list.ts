import { trimOws } from '../io/http-syntax.ts';

/** Names and values in turn, as HTTP/2 sends them. */
export type FieldList = string[];

/** Fields of a connection of HTTP/1.1, which an answer in HTTP/2 may not have (RFC 9113 §8.2.2). */
const UNFIT = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te']);

/**
 * Appends field lines, each `Name: value` with its CRLF, with their names in lower case. Those of a connection are left
 * out.
 */
export function addLines(list: FieldList, lines: string): void {
  for (let start = 0; start < lines.length; ) {
    const end = lines.indexOf('\r\n', start);
    const colon = lines.indexOf(':', start);
    const name = lines.slice(start, colon).toLowerCase();
    if (!UNFIT.has(name) && name !== 'http2-settings') list.push(name, trimOws(lines.slice(colon + 1, end)));
    start = end + 2;
  }
}

/** Longest lines that are remembered, characters. */
const MOST_REMEMBERED = 2048;

/** Does as {@link addLines} does, and remembers what was read last: what a service says of its answers is often the same. */
export class LinesMemory {
  #lines = '';
  #list: FieldList = [];

  add(list: FieldList, lines: string): void {
    if (lines.length > MOST_REMEMBERED) {
      addLines(list, lines);
      return;
    }
    if (lines !== this.#lines) {
      this.#lines = lines;
      this.#list = [];
      addLines(this.#list, lines);
    }
    for (const text of this.#list) list.push(text);
  }
}

/** Returns where the first field of a name is in a list; -1: nowhere. */
export function placeOf(list: readonly string[], name: string): number {
  for (let at = 0; at < list.length; at += 2) if (list[at] === name) return at;
  return -1;
}

/** How many bytes a list is, were it not compressed: each field as a line. */
export function sizeOf(list: FieldList): number {
  let size = 0;
  for (let at = 0; at < list.length; at += 2) size += (list[at] as string).length + (list[at + 1] as string).length + 4;
  return size;
}

/** The same for those calls of Node that take no list. */
export function headersOf(list: FieldList): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at] as string;
    const value = list[at + 1] as string;
    const before = headers[name];
    headers[name] = before === undefined ? value : [before, value].flat();
  }
  return headers;
}
