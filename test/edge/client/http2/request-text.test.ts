import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type RequestText, requestText } from '../../../../src/edge/client/http2/request-text.ts';
import { RequestHead } from '../../../../src/edge/http1/request.ts';

const PSEUDO = [':method', 'GET', ':scheme', 'https', ':authority', 'app.test', ':path', '/a?b'];

/** The usual pseudo-fields with one of them changed, or left out. */
function pseudo(name: string, value: string | undefined): string[] {
  const all = [...PSEUDO];
  const at = all.indexOf(name);
  if (value === undefined) all.splice(at, 2);
  else all[at + 1] = value;
  return all;
}

const text = (raw: string[], ended = true) => (requestText(raw, ended) as RequestText).text;

describe('a request of HTTP/2 as a head of HTTP/1.1', () => {
  test('has the target in its line, the authority as Host, and the fields as they came', () => {
    expect(text([...PSEUDO, 'accept', '*/*', 'x-empty', ''])).toBe(
      'GET /a?b HTTP/1.1\r\nhost: app.test\r\naccept: */*\r\nx-empty: \r\n',
    );
  });

  test('takes Host where there is no authority', () => {
    expect(text([...pseudo(':authority', undefined), 'host', 'app.test'])).toContain('\r\nhost: app.test\r\n');
    expect(text([...PSEUDO, 'host', 'APP.test'])).toBe('GET /a?b HTTP/1.1\r\nhost: app.test\r\n');
  });

  test('has the crumbs of Cookie in one field', () => {
    expect(text([...PSEUDO, 'cookie', 'a=1', 'x', 'y', 'cookie', 'b=2'])).toBe(
      'GET /a?b HTTP/1.1\r\nhost: app.test\r\nx: y\r\ncookie: a=1; b=2\r\n',
    );
  });

  test('says how its content is delimited', () => {
    expect(text(PSEUDO, false)).toContain('\r\ntransfer-encoding: chunked\r\n');
    expect(text([...PSEUDO, 'content-length', '3'], false)).not.toContain('transfer-encoding');
    expect(text(PSEUDO)).not.toContain('transfer-encoding');
  });

  test.each<[string, string[]]>([
    ['no method', pseudo(':method', undefined)],
    ['no scheme', pseudo(':scheme', undefined)],
    ['no path', pseudo(':path', undefined)],
    ['an empty path', pseudo(':path', '')],
    ['a path without a slash', pseudo(':path', 'a')],
    ['an absolute path', pseudo(':path', 'http://other.test/')],
    ['a path with a space', pseudo(':path', '/ HTTP/1.1\r\nx: y')],
    ['a path with a fragment', pseudo(':path', '/#a')],
    ['a method with a space', pseudo(':method', 'GET /admin')],
    ['a method with a line end', pseudo(':method', 'GET / HTTP/1.1\r\nx: y')],
    ['another scheme', pseudo(':scheme', 'ftp')],
    ['a scheme with more in it', pseudo(':scheme', 'http://other.test/')],
    ['an authority with a line end', pseudo(':authority', 'a\r\nx: y')],
    ['a pseudo-field twice', [...PSEUDO, ':path', '/b']],
    ['an unknown pseudo-field', [...PSEUDO, ':version', '2']],
    ['a pseudo-field of answers', [...PSEUDO, ':status', '200']],
    ['a pseudo-field behind others', [...PSEUDO.slice(0, 6), 'a', 'b', ':path', '/']],
    ['a protocol without CONNECT', [...PSEUDO, ':protocol', 'websocket']],
    ['CONNECT with a path', pseudo(':method', 'CONNECT')],
  ])('with %s is refused as having invalid pseudo-fields', (_name, raw) => {
    expect(requestText(raw, true)).toBe('invalid pseudo-field');
  });

  test.each<[string, string, string]>([
    ['connection', 'close', 'field of the connection in HTTP/2'],
    ['keep-alive', 'x', 'field of the connection in HTTP/2'],
    ['proxy-connection', 'close', 'field of the connection in HTTP/2'],
    ['transfer-encoding', 'chunked', 'field of the connection in HTTP/2'],
    ['upgrade', 'websocket', 'field of the connection in HTTP/2'],
    ['http2-settings', 'x', 'field of the connection in HTTP/2'],
    ['te', 'gzip', 'field of the connection in HTTP/2'],
    ['host', 'other.test', ':authority and Host differ'],
    ['X-Upper', 'a', 'upper case in a field name'],
    ['', 'a', 'invalid field name'],
    ['a b', 'a', 'invalid field name'],
    ['a:b', 'a', 'invalid field name'],
    ['a\r\nb', 'a', 'invalid field name'],
    ['a\xe9', 'a', 'invalid field name'],
    ['x', 'a\r\nb: c', 'control character in a field'],
    ['x', 'a\nb', 'control character in a field'],
    ['x', 'a\rb', 'control character in a field'],
    ['x', 'a\0b', 'control character in a field'],
    ['x', 'a\x7fb', 'control character in a field'],
    ['x', 'a\u{10a}b', 'control character in a field'],
    ['x', ' a', 'white space around a field value'],
    ['x', 'a\t', 'white space around a field value'],
  ])('with %j: %j is refused', (name, value, fault) => {
    expect(requestText([...PSEUDO, name, value], true)).toBe(fault);
  });

  test('whatever its fields hold, has them as fields and nothing else', () => {
    const part = fc.string({ unit: fc.constantFrom(...'ab-:; \t\r\n\0GET/#?ÿ\u{10d}') });
    const fields = fc.array(fc.tuple(fc.oneof(part, fc.constantFrom('cookie', 'te', 'host')), part), { maxLength: 6 });
    fc.assert(
      fc.property(fields, part, part, part, fc.boolean(), (more, method, path, authority, ended) => {
        const raw = [':method', method, ':scheme', 'http', ':path', `/${path}`, ':authority', authority];
        const translated = requestText([...raw, ...more.flat()], ended);
        if (typeof translated === 'string') return;
        const bytes = Buffer.from(translated.text, 'latin1');
        const head = new RequestHead();
        const limits = { headBytes: 65_536, fields: 100, targetBytes: 8192 };
        if (head.parse(translated.text, bytes, 0, limits) !== undefined) return;
        expect(head.head.count).toBe(translated.fields);
        expect([head.method, head.target, head.hostValue]).toEqual([method, `/${path}`, authority]);
        const crumbs = more.filter(([name]) => name === 'cookie').length;
        const hosts = more.filter(([name]) => name === 'host').length;
        const length = ended || more.some(([name]) => name === 'content-length') ? 0 : 1;
        expect(head.head.count).toBe(1 + more.length - hosts - (crumbs > 1 ? crumbs - 1 : 0) + length);
      }),
      { numRuns: 3000 },
    );
  });
});
