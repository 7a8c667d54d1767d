import { PASSWORD_HASH } from '../../util/password-hash.ts';
import { didYouMean } from '../../util/suggest.ts';
import { templateNames, unknownNames } from '../../util/template.ts';
import type { Reading } from '../option/value-types.ts';

const TOKEN = /^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/;

/** Fields that frame, route or follow a message on its way: to set or remove one is to break it (RFC 9110 §7.6.1). */
const RESERVED: Record<string, string> = {
  host: 'is what upstreamHost sets',
  via: 'is what via sets',
  'x-request-id': 'stands on every message',
};
for (const name of [
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade', 'content-length', 'expect', 'max-forwards'],
]) {
  RESERVED[name] = 'frames or steers the message';
}

/** What is wrong with a header name that a rule sets or removes; undefined when nothing is. */
export function headerNameFault(name: string): string | undefined {
  if (!TOKEN.test(name)) return 'expected a header name, such as X-Frame-Options';
  const why = RESERVED[name.toLowerCase().replaceAll('_', '-')];
  return why === undefined ? undefined : `no rule may touch this field: it ${why}`;
}

/** A header that a rule removes. */
export function readHeaderName(text: string): Reading<string> {
  const fault = headerNameFault(text);
  return fault === undefined ? { value: text } : { fault };
}

/** A header value, perhaps with request data in it. */
export function readHeaderValue(text: string): Reading<string> {
  if (!/^[\t -~]*$/.test(text)) return { fault: 'a header value is printable ASCII, on one line' };
  const [unknown] = unknownNames(text);
  if (unknown !== undefined) return { fault: unknownPlace(unknown, templateNames) };
  return { value: text.trim() };
}

const REDIRECT_NAMES = ['host', 'path', 'query'];

/** Where a redirect leads: an http(s) URL or a path, in which request data cannot become the host. */
export function readRedirectTarget(text: string): Reading<string> {
  if (/[^!-~]|[\\"<>^`|]/.test(text)) {
    return { fault: 'blanks, quotes and characters beyond ASCII are percent-encoded in a URL' };
  }
  const unknown = [...text.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] as string);
  const wrong = unknown.find((name) => !REDIRECT_NAMES.includes(name));
  if (wrong !== undefined) return { fault: unknownPlace(wrong, REDIRECT_NAMES) };
  const sample = text.replaceAll('{host}', 'host').replaceAll('{path}', '/path').replaceAll('{query}', '?query');
  if (/[{}]/.test(sample)) return { fault: 'braces only stand around host, path and query' };
  if (text.startsWith('/')) {
    // "//x" names another host, and so does "/" before a path that is put in.
    const elsewhere = /^\/(?:\{query\})*(?:\/|\{path\})/.test(text);
    return elsewhere ? { fault: 'what begins with two slashes leads to another host' } : { value: text };
  }
  const authority = /^https?:\/\/([^/?#]*)/i.exec(sample)?.[1];
  if (authority === undefined) return { fault: 'expected http://…, https://… or a path' };
  // A URL parser takes the first word behind any number of slashes for the host.
  const sound = authority !== '' && !authority.includes('@') && URL.parse(sample)?.host !== undefined;
  return sound ? { value: text } : { fault: 'expected a host behind "//"' };
}

/** 301, 302, 303, 307 or 308. */
export function readRedirectStatus(text: string): Reading<number> {
  return /^30[12378]$/.test(text) ? { value: Number(text) } : undefined;
}

/** What makes the hashes, and what they look like. */
export const passwordHash = {
  pattern: PASSWORD_HASH,
  expected: 'a hash that "pilotlight hash-password" made, never the password itself',
};

function unknownPlace(name: string, known: readonly string[]): string {
  return `{${name}} is not known${didYouMean(name, known)}; there are ${known.map((each) => `{${each}}`).join(' ')}`;
}
