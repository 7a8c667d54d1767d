import { posix } from 'node:path';

/** How an application finds out which path a request target asks for; undefined: it refuses it. Bytes as Latin-1. */
type Decoder = (target: string) => string | undefined;

const raw = (target: string): string => target.split('?')[0] as string;

/** Escapes as bytes, by a scan that shares nothing with the product. */
function bytesOf(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; at++) {
    const hex = text.slice(at + 1, at + 3);
    if (text[at] === '%' && /^[0-9a-fA-F]{2}$/.test(hex)) {
      out += String.fromCharCode(Number.parseInt(hex, 16));
      at += 2;
    } else out += text[at];
  }
  return out;
}

/** What JavaScript does; most servers answer 400 where it throws. */
function strictly(text: string): string | undefined {
  try {
    return Buffer.from(decodeURIComponent(text), 'utf8').toString('latin1');
  } catch {
    return undefined;
  }
}

/** Reads UTF-8 as the first decoders did: as many bytes as the first one says, whatever the value. */
function leniently(text: string): string {
  let out = '';
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    const more = code >= 0xfc ? 5 : code >= 0xf8 ? 4 : code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0 ? 1 : 0;
    if (more === 0 || at + more >= text.length) {
      out += text[at];
      at++;
      continue;
    }
    let value = code & (0x3f >> more);
    for (let i = 1; i <= more; i++) value = value * 64 + (text.charCodeAt(at + i) & 0x3f);
    out += value < 128 ? String.fromCharCode(value) : text.slice(at, at + more + 1);
    at += more + 1;
  }
  return out;
}

/** Without `.` and `..`, over the root at most; empty segments as they are, or as none. */
function climb(path: string, merge: boolean): string {
  const out: string[] = [];
  for (const segment of path.split('/').slice(1)) {
    if (segment === '.' || (merge && segment === '')) continue;
    if (segment === '..') out.pop();
    else out.push(segment);
  }
  return `/${out.join('/')}`;
}

const cutParameters = (path: string): string =>
  path
    .split('/')
    .map((segment) => segment.split(';')[0])
    .join('/');
const cutTrailing = (path: string): string =>
  path
    .split('/')
    .map((segment) => (/^[. ]*$/.test(segment) ? segment : segment.replace(/[. ]+$/, '')))
    .join('/');
const slashes = (path: string): string => path.split('\\').join('/');

/** The path as nginx compares locations: decoded once, slashes merged, dots resolved, all in one pass. */
const nginx: Decoder = (target) => climb(bytesOf(raw(target)), true);

/** A servlet container: parameters first, then decoding, then normalisation. */
const servlet: Decoder = (target) => climb(bytesOf(cutParameters(raw(target))), true);

function whatwg(target: string): string | undefined {
  return URL.parse(`http://h${raw(target)}`)?.pathname;
}

/** As nearly all of Node's servers write it: what begins with two slashes names a host. */
function resolved(target: string): string | undefined {
  return URL.parse(target, 'http://h')?.pathname;
}

/** What applications in the field do. */
export const decoders: Record<string, Decoder> = {
  'as it was sent': raw,
  nginx,
  'nginx before a servlet container': (target) => {
    const seen = nginx(target);
    return seen && servlet(seen);
  },
  'nginx twice': (target) => nginx(nginx(target) as string),
  'a servlet container': servlet,
  'a servlet container that decodes before it cuts parameters': (target) =>
    climb(cutParameters(bytesOf(raw(target))), true),
  'a servlet container on Windows': (target) => climb(slashes(bytesOf(cutParameters(raw(target)))), true),
  'a servlet container that decodes twice': (target) => climb(bytesOf(bytesOf(cutParameters(raw(target)))), true),
  'Java that reads overlong UTF-8': (target) => climb(slashes(leniently(bytesOf(cutParameters(raw(target))))), true),
  'Java that reads overlong UTF-8 last': (target) => cutParameters(climb(leniently(bytesOf(raw(target))), false)),
  'an old server on Windows': (target) => climb(cutTrailing(slashes(bytesOf(bytesOf(raw(target))))), true),
  'one that cuts what trails last': (target) => cutTrailing(climb(slashes(bytesOf(raw(target))), false)),
  'one that decodes three times': (target) => climb(bytesOf(bytesOf(bytesOf(raw(target)))), true),
  'one that decodes three times overlong': (target) => climb(leniently(bytesOf(bytesOf(bytesOf(raw(target))))), true),
  'new URL of Node': (target) => whatwg(target),
  'new URL of Node with a base': resolved,
  'new URL of Node with a base, then decoded': (target) => strictly(resolved(target) ?? '%'),
  'new URL of Node with a base, then decoded and normalised': (target) =>
    posix.normalize(strictly(resolved(target) ?? '%') ?? ''),
  'new URL, then decoded': (target) => strictly(whatwg(target) ?? '%'),
  'new URL, then decoded and normalised': (target) => posix.normalize(strictly(whatwg(target) ?? '%') ?? ''),
  'decodeURIComponent and normalize of Node': (target) => posix.normalize(strictly(raw(target)) ?? ''),
  'normalize and decodeURIComponent of Node': (target) => strictly(posix.normalize(raw(target))),
  'the http.server of Python': (target) => {
    const path = bytesOf((target.split('?')[0] as string).split('#')[0] as string);
    const words = posix.normalize(path).split('/');
    return `/${words.filter((word) => word !== '' && word !== '.' && word !== '..').join('/')}`;
  },
  'one that reads a decoded path as a target': (target) => raw(bytesOf(raw(target))),
  'one that reads what is no escape of a URI': (target) =>
    climb(unescape(raw(target)).replace(/[^\0-\xff]/g, '?'), true),
  'new URL of what is decoded': (target) => whatwg(strictly(raw(target)) ?? '%'),
  'new URL with a base of what is decoded': (target) => resolved(strictly(raw(target)) ?? '%'),
  'one that leaves controls out of what it decoded twice': (target) =>
    climb(cutTrailing(bytesOf(bytesOf(raw(target))).replace(/[\x01-\x1f\x7f]/g, '')), true),
  'RFC 3986, then decoded': (target) => bytesOf(climb(raw(target), false)),
};
