import type { ContentCoding } from '../../model/compress-settings.ts';
import { hasToken } from '../http1/field-lists.ts';
import type { Head } from '../http1/head.ts';

const VARY = 'Vary: Accept-Encoding\r\n';

/**
 * Makes the head of an answer tell of its coded content: its bytes are not those that the service's entity tag is of, nor
 * can they be asked for in parts. What is not sent on any more is dropped from the head.
 * @param added field lines that are added to those of the head
 * @returns those lines with ours
 */
export function codedFields(head: Head, added: string, coding: ContentCoding): string {
  const tag = sentOn(head, 'etag');
  let out = added;
  if (tag >= 0 && !head.value(tag).startsWith('W/')) {
    head.drop(tag);
    out += `ETag: W/${head.value(tag)}\r\n`;
  }
  const ranges = sentOn(head, 'accept-ranges');
  if (ranges >= 0) head.drop(ranges);
  return `${variedFields(head, out)}Content-Encoding: ${coding}\r\n`;
}

/** Makes the head tell that the answer depends on what encodings the client accepts. Parameters as above. */
export function variedFields(head: Head, added: string): string {
  let list = '';
  for (let index = head.find('vary'); index >= 0; index = head.find('vary', index + 1)) {
    if (head.isDropped(index)) continue;
    const value = head.value(index);
    if (hasToken(value, '*') || hasToken(value, 'accept-encoding')) return added;
    list += `${value}, `;
  }
  if (list === '') return added + VARY;
  head.dropNamed(VARY_NAME);
  return `${added}Vary: ${list}Accept-Encoding\r\n`;
}

const VARY_NAME: ReadonlySet<string> = new Set(['vary']);

/**
 * The same for a 304. A client that asked about the tag which its coded copy bears has to get that tag, or it could not
 * tell which copy is meant (RFC 9111 §4.3.4).
 * @param asked value of the request's If-None-Match
 */
export function validatedFields(head: Head, added: string, asked: string | undefined): string {
  const out = variedFields(head, added);
  const tag = sentOn(head, 'etag');
  if (tag < 0 || asked === undefined) return out;
  const weak = `W/${head.value(tag)}`;
  if (!head.value(tag).startsWith('"') || !asked.includes(weak)) return out;
  head.drop(tag);
  return `${out}ETag: ${weak}\r\n`;
}

/** The place of a field that is sent on; -1: there is none. */
function sentOn(head: Head, name: string): number {
  let index = head.find(name);
  while (index >= 0 && head.isDropped(index)) index = head.find(name, index + 1);
  return index;
}
