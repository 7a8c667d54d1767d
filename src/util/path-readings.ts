/**
 * The ways in which applications read a path. A proxy that compares paths as they were sent, and an application behind
 * it that decodes them, do not speak of the same thing; a guard holds only where it holds for all readings.
 *
 * Paths are texts of bytes: each character stands for one.
 */

/** Most often that a path is decoded. */
const MAX_DECODINGS = 3;
/** Most characters that are read to find the readings of one path. A long path with one `%20` takes 25,000 of them. */
export const MAX_STEPS = 65_536;
/** Most readings of a path. A URL within a path has about thirty. */
export const MAX_READINGS = 64;

/** What there is to read in more than one way: an escape, `\`, `;`, `//`, a dot segment, a dot at a segment's end. */
const SUSPECT = /[%\\;]|\/[/.]|\.(?:\/|$)/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
/** By character code: the letters, the digits and `-._~` (RFC 3986 §2.3). */
const UNRESERVED = Uint8Array.from({ length: 256 }, (_, code) =>
  Number(/[A-Za-z0-9\-._~]/.test(String.fromCharCode(code))),
);
/** By character code: the value of a hexadecimal digit; 16 for what is none. */
const DIGIT = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = '0123456789abcdef'.indexOf(String.fromCharCode(code).toLowerCase());
  return value < 0 ? 16 : value;
});
/** What stands otherwise in a key: escapes, and bytes that only an escape brings into a path. */
const UNKEYED = /%[0-9a-f]{2}|[\0- \x7f-\xff]/gi;
const QUERY = /[?#]/;
/**
 * Controls: `new URL` and Python's urllib leave line ends and tabs out of a URL, and others where they stand at its end;
 * `$` of Python and Ruby matches before a last line feed.
 */
const CONTROL = /[\x01-\x1f\x7f]/;
const CONTROLS = /[\x01-\x1f\x7f]+/g;
/** An escape that is none (RFC 3986), which `unescape` of JavaScript and HTTP.sys of Windows read. */
const UNICODE_ESCAPE = /%u00[0-9a-f]{2}/i;
const UNICODE_ESCAPES = /%u00([0-9a-f]{2})/gi;
const OVERLONG = /[\xc0\xc1\xe0\xf0\xf8\xfc]/;
/** ASCII in two to six bytes of UTF-8 (RFC 3629 §3 forbids it). The last byte's upper bits are not looked at by all. */
const OVERLONG_FORMS =
  /(?:[\xc0\xc1]|\xe0[\x80\x81]|\xf0\x80[\x80\x81]|\xf8\x80{2}[\x80\x81]|\xfc\x80{3}[\x80\x81])[\0-\xff]/g;
/** As the first decoders did it: as many bytes as the first one says, whatever those are, so that it may hide others. */
const FIRST_SAYS =
  /[\xc0-\xdf][\0-\xff]|[\xe0-\xef][\0-\xff]{2}|[\xf0-\xf7][\0-\xff]{3}|[\xf8-\xfb][\0-\xff]{4}|[\xfc-\xff][\0-\xff]{5}/g;
/** Dots and blanks at a segment's end, which Windows drops; of a segment of nothing else nothing is dropped. */
const TRAILING = /([^/. ])[. ]+(?=\/|$)/;
const TRAILINGS = /([^/. ])[. ]+(?=\/|$)/g;

/** Whether there is but one way to read a path, letters' case apart. */
export function hasOneReading(path: string): boolean {
  return !SUSPECT.test(path);
}

/** One spelling for all that RFC 3986 §6.2.2 takes for the same path. */
export function pathKey(path: string): string {
  return path.replace(UNKEYED, (match) => {
    const code = match.length === 1 ? match.charCodeAt(0) : Number.parseInt(match.slice(1), 16);
    if (UNRESERVED[code] === 1) return String.fromCharCode(code);
    return `%${code.toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** What of a reading is compared with prefixes: nothing behind a parameter, which ends its segment. */
export function comparable(reading: string): string {
  const end = reading.indexOf(';');
  return pathKey(end < 0 ? reading : reading.slice(0, end));
}

/** All readings of a path. */
interface Readings {
  /** As it was sent first; undefined: there are too many. */
  paths: string[] | undefined;
  /** Characters read to find them. */
  steps: number;
}

/**
 * All readings of a path: decoded up to three times, backslashes as slashes, slashes merged, parameters cut, dots and
 * blanks cut at the end of segments, dot segments resolved, overlong UTF-8 and `%u0073` read, controls and what looks
 * like a host or a query left out, in each order, and each of it or not.
 */
export function readingsOf(path: string): Readings {
  const found = new Set<string>([path]);
  let steps = 0;
  let level = [path];
  for (let decodings = 0; level.length > 0; decodings++) {
    for (let index = 0; index < level.length; index++) {
      const text = level[index] as string;
      steps += text.length;
      for (const read of STEPS) {
        const other = read(text);
        if (other === text || found.has(other)) continue;
        steps += text.length;
        found.add(other);
        level.push(other);
      }
      if (steps > MAX_STEPS || found.size > MAX_READINGS) return { paths: undefined, steps };
    }
    if (decodings === MAX_DECODINGS) break;
    const next: string[] = [];
    for (const text of level) {
      const decoded = decode(text, true);
      if (found.has(decoded)) continue;
      steps += text.length;
      found.add(decoded);
      next.push(decoded);
    }
    level = next;
  }
  return { paths: [...found], steps };
}

/** Whether some reading of a path begins with the name of another host, climbs, or ends before its end. */
export function leadsAstray(path: string): boolean {
  if (hasOneReading(path)) return false;
  const { paths } = readingsOf(path);
  return paths === undefined || paths.some((each) => isAstray(each));
}

/** As {@link leadsAstray}, of this reading alone. */
export function isAstray(path: string): boolean {
  return path.startsWith('//') || path.includes('\0') || DOT_SEGMENT.test(path);
}

/** Each returns the same text where there is nothing for it to do. */
const STEPS: ((text: string) => string)[] = [
  (text) => decode(text, false),
  (text) => text.replaceAll('\\', '/'),
  (text) => (text.includes('//') ? text.replace(/\/{2,}/g, '/') : text),
  (text) => (text.includes(';') ? text.replace(/;[^/]*/g, '') : text),
  // Resolved against a base (RFC 3986 §5.2.2), as `new URL(target, base)` does it, the first segment is a host.
  (text) => (text.startsWith('//') ? text.replace(/^\/{2,}[^/]*/, '') || '/' : text),
  // Who decodes a target before it is read takes it for the query's.
  (text) => (QUERY.test(text) ? text.slice(0, text.search(QUERY)) : text),
  (text) => (TRAILING.test(text) ? text.replace(TRAILINGS, '$1') : text),
  (text) => (CONTROL.test(text) ? text.replace(CONTROLS, '') : text),
  (text) => (UNICODE_ESCAPE.test(text) ? text.replace(UNICODE_ESCAPES, unescaped) : text),
  (text) => (OVERLONG.test(text) ? text.replace(OVERLONG_FORMS, shortest) : text),
  (text) => (OVERLONG.test(text) ? text.replace(FIRST_SAYS, asFirstSays) : text),
  (text) => (DOT_SEGMENT.test(text) ? resolveDots(text) : text),
];

/** Every escape once, or those of unreserved characters only; what is no escape stays. */
function decode(text: string, all: boolean): string {
  let at = text.indexOf('%');
  if (at < 0) return text;
  const bytes = Buffer.from(text, 'latin1');
  const end = bytes.length;
  let to = at;
  while (at < end) {
    const byte = bytes[at] as number;
    const high = byte === 37 ? (DIGIT[bytes[at + 1] as number] ?? 16) : 16;
    const low = high < 16 ? (DIGIT[bytes[at + 2] as number] ?? 16) : 16;
    const code = high * 16 + low;
    const decodes = low < 16 && (all || UNRESERVED[code] === 1);
    bytes[to++] = decodes ? code : byte;
    at += decodes ? 3 : 1;
  }
  return to === end ? text : bytes.toString('latin1', 0, to);
}

function unescaped(_: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16));
}

function shortest(form: string): string {
  const last = form.charCodeAt(form.length - 1);
  const before = form.charCodeAt(form.length - 2);
  return String.fromCharCode(((before & 1) << 6) | (last & 63));
}

function asFirstSays(form: string): string {
  const more = form.length - 1;
  let value = form.charCodeAt(0) & (0x3f >> more);
  for (let at = 1; at <= more; at++) value = value * 64 + (form.charCodeAt(at) & 63);
  return value < 128 ? String.fromCharCode(value) : form;
}

/** RFC 3986 §5.2.4; what climbs over the root stays there. */
function resolveDots(text: string): string {
  const out: string[] = [];
  const segments = text.split('/');
  for (let index = 0; index < segments.length; index++) {
    const segment = segments[index] as string;
    const dots = segment === '.' || segment === '..';
    if (!dots) out.push(segment);
    else if (segment === '..' && out.length > 1) out.pop();
    if (dots && index === segments.length - 1) out.push('');
  }
  return out.join('/');
}
