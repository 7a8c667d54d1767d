import { isOws } from '../io/http-syntax.ts';
import type { Head } from './head.ts';

/**
 * Returns the value of the first cookie of a name that a request carries, in whichever of its Cookie fields (RFC 6265
 * §4.2.1); undefined when there is none. Names are compared byte for byte.
 */
export function cookieValue(head: Head, name: string): string | undefined {
  for (let index = 0; index < head.count; index++) {
    const field = head.name(index);
    if (field.length !== 6 || field.toLowerCase() !== 'cookie') continue;
    const value = pairValue(head.value(index), name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Searches for the name instead of splitting into pairs, because a field may consist of thousands of those. */
function pairValue(text: string, name: string): string | undefined {
  const key = `${name}=`;
  for (let at = text.indexOf(key); at >= 0; at = text.indexOf(key, at + key.length)) {
    let before = at - 1;
    while (before >= 0 && isOws(text.charCodeAt(before))) before--;
    if (before >= 0 && text.charCodeAt(before) !== 59) continue;
    const end = text.indexOf(';', at);
    return text.slice(at + key.length, end < 0 ? text.length : end).trim();
  }
  return undefined;
}
