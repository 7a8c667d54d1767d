import { unfitFields } from '../harness/compare-fields.ts';
import { type Message, valuesOf } from '../harness/message.ts';
import { type FieldLine, listOf, type RequestMeaning } from './meaning.ts';

/** Fields that the proxy takes away, or writes itself; all others pass as they are. */
const NOT_PASSED = new Set(
  (
    'host content-length transfer-encoding connection keep-alive proxy-connection proxy-authenticate ' +
    'proxy-authorization te upgrade expect forwarded x-real-ip x-request-id'
  ).split(' '),
);
/** What Connection cannot take away: it says whom a request is for, or who asks. */
const NOT_NOMINABLE = /^(host|content-length|transfer-encoding|via|forwarded|x-real-ip|x-request-id|x-forwarded-.*)$/;
/** What would frame, route or authorize if somebody took a trailer for a field (RFC 9110 §6.5.1). */
const NO_TRAILER = /^(content-length|transfer-encoding|host|connection|te|trailer|authorization|cookie|x-real-ip)$/;

/** What is wrong with what the origin got of a request; `read` is how Node reads it. */
export function compareRequest(want: RequestMeaning, got: Message, read: RequestMeaning, port: number): string[] {
  const complaints = [...got.faults, ...unfitFields(got)];
  const expect = (what: string, is: unknown, should: unknown) => {
    const [one, other] = [JSON.stringify(is), JSON.stringify(should)];
    if (one !== other) complaints.push(`${what} is ${one} instead of ${other}`);
  };
  const own = (name: string) => valuesOf(read.fields, name).join(' | ');
  expect('the method', read.method, want.method);
  expect('the target', read.target, targetOf(want));
  expect('the body', read.body, want.body);
  expect('what passes', passing(read.fields, read.method), passing(want.fields, want.method));
  const host = hostOf(want);
  if (host !== undefined) expect('Host', own('host'), host);
  expect('X-Forwarded-For', own('x-forwarded-for'), '127.0.0.1');
  expect('X-Real-IP', own('x-real-ip'), '127.0.0.1');
  expect('X-Forwarded-Proto', own('x-forwarded-proto'), 'http');
  expect('X-Forwarded-Port', own('x-forwarded-port'), String(port));
  expect('X-Forwarded-Host', own('x-forwarded-host'), own('host'));
  if (valuesOf(want.fields, 'x-request-id').includes(own('x-request-id'))) complaints.push("the client's X-Request-Id");
  return [...complaints, ...unasked(want, read), ...compareForwards(want, read), ...compareTrailers(want, read)];
}

/** Whether the proxy answers it itself (RFC 9110 §7.6.2). */
export function endsHere({ method, fields }: RequestMeaning): boolean {
  return method === 'OPTIONS' && valuesOf(fields, 'max-forwards').some((value) => /^0+$/.test(value));
}

/** In origin-form; an absolute-form is cut to its path and query (RFC 9112 §3.2). */
export function targetOf({ method, target }: RequestMeaning): string {
  const rest = /^https?:\/\/[^/?]*(.*)$/i.exec(target)?.[1];
  if (rest === undefined) return target;
  if (rest === '') return method === 'OPTIONS' ? '*' : '/';
  return rest.startsWith('?') ? `/${rest}` : rest;
}

function hostOf({ target, fields }: RequestMeaning): string | undefined {
  return /^https?:\/\/([^/?]*)/i.exec(target)?.[1] ?? valuesOf(fields, 'host')[0];
}

/** Fields that go through the proxy untouched. */
function passing(fields: readonly FieldLine[], method: string): FieldLine[] {
  const nominated = new Set(listOf(fields, 'connection').filter((name) => !NOT_NOMINABLE.test(name)));
  return fields.filter(([name]) => {
    const lower = name.toLowerCase();
    if (NOT_PASSED.has(lower) || nominated.has(lower) || lower.startsWith('x-forwarded-')) return false;
    return !isAlias(lower) && !(lower === 'max-forwards' && method === 'OPTIONS');
  });
}

/** A name that some servers take for that of a field which the proxy sets. */
function isAlias(lower: string): boolean {
  if (!lower.includes('_')) return false;
  return /^(content-length|transfer-encoding|x-real-ip|x-request-id|x-forwarded-.*)$/.test(lower.replaceAll('_', '-'));
}

/** What concerns one hop only is written when the client asked for it, never otherwise. */
function unasked(want: RequestMeaning, read: RequestMeaning): string[] {
  const asked = (name: string, element: string) => listOf(want.fields, name).includes(element);
  const complaints: string[] = [];
  if (listOf(read.fields, 'expect').length > 0 && !asked('expect', '100-continue')) complaints.push('Expect');
  if (listOf(read.fields, 'te').length > 0 && !listOf(want.fields, 'te').some((each) => each.startsWith('trailers')))
    complaints.push('TE');
  for (const protocol of listOf(read.fields, 'upgrade')) {
    if (protocol === 'h2c' || !asked('upgrade', protocol) || !asked('connection', 'upgrade'))
      complaints.push(`Upgrade: ${protocol}`);
  }
  return complaints.map((each) => `${each} that the client did not ask for`);
}

/** A number is one less, as far as one can count; what is none passes as it is. */
function compareForwards(want: RequestMeaning, read: RequestMeaning): string[] {
  if (want.method !== 'OPTIONS') return [];
  const allowed = valuesOf(want.fields, 'max-forwards').map((value) =>
    /^\d+$/.test(value) ? String(Math.min(Number(value), Number.MAX_SAFE_INTEGER) - 1) : value,
  );
  const left = valuesOf(read.fields, 'max-forwards');
  return left.every((value) => allowed.includes(value)) ? [] : [`Max-Forwards ${left.join(' | ')}`];
}

/** Trailers may be dropped, but neither be changed nor become dangerous. */
function compareTrailers(want: RequestMeaning, read: RequestMeaning): string[] {
  const sent = want.trailers.map(String);
  const foreign = read.trailers.filter(
    (line) => NO_TRAILER.test(line[0].toLowerCase()) || !sent.includes(String(line)),
  );
  return foreign.map((line) => `trailer ${line.join(': ')}`);
}
