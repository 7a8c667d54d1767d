import type { Head } from './http1/head.ts';

/**
 * Value of the first cookie of a name that a request carries (RFC 6265 §4.2.1), in whichever of its Cookie fields;
 * undefined when there is none. Names are compared byte for byte.
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

function pairValue(text: string, name: string): string | undefined {
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf(';', at);
    if (end < 0) end = text.length;
    while (text.charCodeAt(at) === 32 || text.charCodeAt(at) === 9) at++;
    if (text.startsWith(name, at) && text.charCodeAt(at + name.length) === 61) {
      return text.slice(at + name.length + 1, end).trim();
    }
    at = end + 1;
  }
  return undefined;
}
