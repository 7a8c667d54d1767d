import { addressIn, UNKNOWN_CLIENT } from './client-address.ts';
import { allIn, TCHAR } from './http-syntax.ts';

/** One proxy's element of Forwarded, as far as it is used; values without quotes. */
interface ForwardedElement {
  for: string | undefined;
  proto: string | undefined;
  host: string | undefined;
}

/** Most parameters in a value, empty ones included. This is enough for a hundred proxies. */
const MAX_PARTS = 512;

/** `name=value`, where the value is a token or quoted, and what ends it. */
const PAIR = /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)=([!#$%&'*+.^_`|~0-9A-Za-z-]+|"(?:[^"\\]|\\.)*")[ \t]*(;|,|$)/y;
const EMPTY = /[ \t]*(;|,|$)/y;

/**
 * Returns the elements of a Forwarded value (RFC 7239 §4) in order; undefined when it breaks the grammar or is too
 * long. A quote that a client left open may have swallowed what the proxies behind it said.
 */
export function forwardedElements(value: string): ForwardedElement[] | undefined {
  const elements: ForwardedElement[] = [];
  let element: ForwardedElement | undefined;
  let parts = 0;
  for (let at = 0; at < value.length; ) {
    if (++parts > MAX_PARTS) return undefined;
    PAIR.lastIndex = at;
    EMPTY.lastIndex = at;
    const match = PAIR.exec(value);
    const [whole, end] = match === null ? (EMPTY.exec(value) ?? []) : [match[0], match[3]];
    if (whole === undefined) return undefined;
    at += Math.max(1, whole.length);
    if (match !== null) {
      element ??= { for: undefined, proto: undefined, host: undefined };
      const name = (match[1] as string).toLowerCase();
      if (name === 'for' || name === 'proto' || name === 'host') {
        // Each parameter may occur once (RFC 7239 §4).
        if (element[name] !== undefined) return undefined;
        element[name] = unquoted(match[2] as string);
      }
    }
    if (end !== ';' && element !== undefined) {
      elements.push(element);
      element = undefined;
    }
  }
  if (element !== undefined) elements.push(element);
  return elements;
}

/**
 * Returns the `for` of all elements as X-Forwarded-For would list them; `unknown` for what is no address or cannot be
 * read.
 */
export function forwardedFor(value: string): string {
  const elements = forwardedElements(value);
  if (elements === undefined) return UNKNOWN_CLIENT;
  return elements.map((each) => addressIn(each.for ?? '') ?? UNKNOWN_CLIENT).join(', ');
}

/** Writes an address as a node of Forwarded: IPv6 in brackets, and therefore in quotes (RFC 7239 §6). */
export function forwardedNode(address: string): string {
  if (address.includes(':')) return `"[${address}]"`;
  return allIn(TCHAR, address, 0, address.length) ? address : UNKNOWN_CLIENT;
}

function unquoted(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}
