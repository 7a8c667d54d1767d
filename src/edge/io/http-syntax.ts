/**
 * Characters and white space of any version of HTTP (RFC 9110 §5.6.2, RFC 9112). Classes are tables indexed by byte.
 */

function table(test: (code: number) => boolean): Uint8Array {
  const out = new Uint8Array(256);
  for (let code = 0; code < 256; code++) out[code] = test(code) ? 1 : 0;
  return out;
}

const tcharExtra = new Set([..."!#$%&'*+-.^_`|~"].map((char) => char.charCodeAt(0)));

function isAlphaNumeric(code: number): boolean {
  return (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
}

/** tchar: what methods and field names are made of (RFC 9110 §5.6.2). */
export const TCHAR = table((code) => isAlphaNumeric(code) || tcharExtra.has(code));

/** field-vchar, SP and HTAB: what field values are made of (RFC 9110 §5.5); obs-text is let through. */
export const FIELD_VALUE = table((code) => code === 9 || (code >= 32 && code !== 127));

/** Visible ASCII without `#`: what a request target may hold on the wire. A fragment is never sent (RFC 9112 §3.2). */
export const TARGET = table((code) => code > 32 && code < 127 && code !== 35);

/** Whether `text` from `start` to `end` is not empty, and all of it is of a class. */
export function allIn(classTable: Uint8Array, text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || classTable[code] === 0) return false;
  }
  return end > start;
}

/** Whether `bytes` from `start` to `end` is not empty, and all of it is of a class. */
export function allBytesIn(classTable: Uint8Array, bytes: Buffer, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (classTable[bytes[i] as number] === 0) return false;
  return end > start;
}

/**
 * Removes the white space that HTTP knows, SP and HTAB, from both ends. `trim` also removes vertical tab, form feed and
 * no-break space, which serve to obfuscate framing fields.
 */
export function trimOws(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** SP or HTAB (RFC 9110 §5.6.3). */
export function isOws(code: number): boolean {
  return code === 32 || code === 9;
}

/**
 * Whether a list has more than so many members, empty ones included (RFC 9110 §5.6.1.2 lets a reasonable number of
 * those pass). It looks no further than to the first that is too many.
 */
export function isLongList(list: string, most: number): boolean {
  let at = -1;
  for (let members = 0; members < most; members++) {
    at = list.indexOf(',', at + 1);
    if (at < 0) return false;
  }
  return true;
}

const IPV6_HOST = /^\[[0-9a-f:.]+\]$/i;
const REG_NAME = /^(?:[a-z0-9\-._~!$&'()*+,;=]|%[0-9a-f]{2})+$/i;

/** Longest host and longest label of one, bytes (RFC 1035 §2.3.4). Nothing longer can be looked up or routed. */
const MAX_HOST = 253;
const MAX_LABEL = 63;
/** Longest Host value: a host with a trailing dot and a port. */
const MAX_VALUE = MAX_HOST + 7;

/**
 * Returns the host part of a Host value: lower case, without port and trailing dot, IPv6 with brackets. Undefined when
 * the value is empty, longer than any host, or not `uri-host [":" port]` (RFC 9110 §7.2).
 */
export function hostOf(value: string): string | undefined {
  if (value.length > MAX_VALUE) return undefined;
  let end = value.length;
  const colon = value.lastIndexOf(':');
  if (colon >= 0 && value.charCodeAt(end - 1) !== 93) {
    for (let i = colon + 1; i < end; i++) {
      const code = value.charCodeAt(i);
      if (code < 48 || code > 57) return undefined;
    }
    if (end - colon > 6) return undefined;
    end = colon;
  }
  let host = value.slice(0, end);
  if (host.charCodeAt(0) === 91) return IPV6_HOST.test(host) ? host.toLowerCase() : undefined;
  if (!REG_NAME.test(host)) return undefined;
  if (host.charCodeAt(host.length - 1) === 46) host = host.slice(0, -1);
  if (host.length === 0 || host.length > MAX_HOST || hasLongLabel(host)) return undefined;
  return host.toLowerCase();
}

function hasLongLabel(host: string): boolean {
  let start = 0;
  for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', start)) {
    if (dot - start > MAX_LABEL) return true;
    start = dot + 1;
  }
  return host.length - start > MAX_LABEL;
}
