import { expect, test } from 'vitest';
import type { AccessRecord } from '../../src/model/access.ts';
import { formatterOf, redactQuery } from '../../src/observe/access-format.ts';

const record: AccessRecord = {
  at: Date.UTC(2026, 10, 23, 8, 13, 47, 123),
  client: '10.0.0.7',
  clientPort: 40312,
  listener: '10.0.0.1:8080',
  service: 'shop',
  endpoint: '10.0.1.9:3000',
  method: 'GET',
  target: '/cart?id=5&token=abc',
  version: '1.1',
  host: 'shop.example.com',
  referer: 'https://example.com/?session=abc',
  userAgent: 'Mozilla "x" \n',
  requestId: 'id-1',
  status: 200,
  bytesOut: 512,
  headOut: 112,
  bytesIn: 0,
  queueMs: 210.4,
  connectMs: 0.6,
  firstByteMs: 12.3,
  totalMs: 224,
  retries: 1,
  cold: true,
  ending: 'complete',
  refusal: undefined,
  reason: undefined,
};

test('the common and combined formats are those that their parsers know', () => {
  const common = '10.0.0.7 - - [23/Nov/2026:08:13:47 +0000] "GET /cart?id=5&token=*** HTTP/1.1" 200 400';
  expect(formatterOf('common')(record)).toBe(common);
  expect(formatterOf('combined')(record)).toBe(`${common} "https://example.com/?session=***" "Mozilla \\"x\\" \\x0a"`);
});

test('the httplog format has the fields of HAProxy in their order', () => {
  expect(formatterOf('httplog')(record)).toMatch(
    /^10\.0\.0\.7:40312 \[23\/Nov\/2026:08:13:47\.123\] 10\.0\.0\.1:8080 shop\/10\.0\.1\.9:3000 0\/210\/1\/12\/224 200 512 - - ---- 0\/0\/0\/0\/1 0\/0 "GET \/cart\?id=5&token=\S+ HTTP\/1\.1"$/,
  );
});

test('what a request did not reach is −1 and has no server', () => {
  const refused: AccessRecord = {
    ...record,
    endpoint: undefined,
    queueMs: -1,
    connectMs: -1,
    firstByteMs: -1,
    status: 503,
    retries: 0,
    ending: 'refused',
  };
  expect(formatterOf('httplog')(refused)).toContain(' shop/<NOSRV> 0/-1/-1/-1/224 503 512 - - PR-- 0/0/0/0/0 0/0 ');
});

test('bytes that made no request have the marks that the parsers of each format know', () => {
  const unreadable: AccessRecord = { ...record, method: '', target: '', status: 400 };
  expect(formatterOf('common')(unreadable)).toMatch(/ "-" 400 400$/);
  expect(formatterOf('httplog')(unreadable)).toMatch(/ "<BADREQ>"$/);
  expect(JSON.parse(formatterOf('json')(unreadable))).toMatchObject({ method: '', target: '' });
});

test('a JSON line is one line and tells no secret', () => {
  const line = formatterOf('json')(record);
  expect(line).not.toContain('\n');
  expect(line).not.toContain('abc');
  expect(JSON.parse(line)).toMatchObject({
    client: '10.0.0.7',
    service: 'shop',
    status: 200,
    cold: true,
    queueMs: 210.4,
  });
});

test.each([
  ['/a?token=1', '/a?token=***'],
  ['/a?x=1&access_token=2&y=3', '/a?x=1&access_token=***&y=3'],
  ['/a?API-KEY=1;password=2', '/a?API-KEY=***;password=***'],
  ['/a?tokenless=1', '/a?tokenless=1'],
  ['/token=1', '/token=1'],
  ['/a?key=1&x-key=2&pass=3&monkey=4', '/a?key=***&x-key=***&pass=***&monkey=4'],
  ['/a?X-Amz-Credential=1&b=a=b', '/a?X-Amz-Credential=***&b=a=b'],
  ['/a?u=/b?token=1', '/a?u=/b?token=***'],
  ['/a?token=1?2=3&b', '/a?token=***&b'],
  ['/a?token', '/a?token'],
  ['/a?=1&&token=', '/a?=1&&token=***'],
])('%s is written as %s', (target, written) => {
  expect(redactQuery(target)).toBe(written);
});

test.each(['?', '?a', '&', '=', '?=', '-', 'token'])('any number of "%s" costs no more than reading it', (piece) => {
  // Looking from each of them to the end would take an hour.
  const target = `/?${piece.repeat(1_000_000)}=`;
  expect(redactQuery(target).length).toBeGreaterThan(0);
});

test('a JSON line says what it was given, whatever clients send and whenever', () => {
  const texts = ['', 'a b', '"', '\\', '\n', '\x7f', 'é', '\u2028', '\ud800', '</script>', 'x'.repeat(5000)];
  for (const text of texts) {
    const line = formatterOf('json')({ ...record, host: text, userAgent: text, method: text });
    expect(JSON.parse(line)).toMatchObject({ host: text, userAgent: text, method: text });
  }
  for (const at of [0, 999, 1000, 1_795_437_231_568.83, 1_795_437_231_007.2, 951_782_399_999.9]) {
    const { time } = JSON.parse(formatterOf('json')({ ...record, at })) as { time: string };
    expect(time).toBe(new Date(at).toISOString());
  }
});

test('a refused request names the rule that it breaks, where its format has room; other lines stay as they are', () => {
  const refused: AccessRecord = { ...record, ending: 'refused', refusal: 'BAD_REQUEST', reason: 'bare LF' };
  expect(JSON.parse(formatterOf('json')(refused))).toMatchObject({ refusal: 'BAD_REQUEST', reason: 'bare LF' });
  expect(formatterOf('common')(refused)).toBe(`${formatterOf('common')(record)} "bare LF"`);
  expect(formatterOf('combined')(refused)).toBe(`${formatterOf('combined')(record)} "bare LF"`);
  expect(formatterOf('httplog')(refused)).toContain(' 0/0 {bare-LF} "GET ');
  const coded: AccessRecord = { ...refused, refusal: 'DRAINING', reason: undefined };
  expect(JSON.parse(formatterOf('json')(coded))).toMatchObject({ refusal: 'DRAINING', reason: 'DRAINING' });
  expect(formatterOf('httplog')(coded)).toContain(' {DRAINING} "GET ');
  expect(JSON.parse(formatterOf('json')(record))).not.toHaveProperty('reason');
});

test('the address of a client of IPv6 and its port are told apart by brackets', () => {
  expect(formatterOf('httplog')({ ...record, client: '2001:db8::1' })).toMatch(/^\[2001:db8::1\]:40312 \[/);
});

test('TLS that was ended here is told, and nothing where it was not', () => {
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256', client: { subject: 'CN=a "b",O=Shop' } };
  const toJson = formatterOf('json');
  expect(JSON.parse(toJson({ ...record, tls }))).toMatchObject({
    tls: tls.version,
    cipher: tls.cipher,
    clientSubject: tls.client.subject,
  });
  expect(JSON.parse(toJson({ ...record, tls: { ...tls, client: undefined } }))).not.toHaveProperty('clientSubject');
  expect(JSON.parse(toJson(record))).not.toHaveProperty('tls');
});

test('how an answer was compressed here is told, and nothing where it was not', () => {
  const toJson = formatterOf('json');
  expect(JSON.parse(toJson({ ...record, encoding: 'zstd' }))).toMatchObject({ encoding: 'zstd' });
  expect(JSON.parse(toJson(record))).not.toHaveProperty('encoding');
});
