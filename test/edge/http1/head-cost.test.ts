import { describe, expect, test, vi } from 'vitest';
import { prefersHtml } from '../../../src/edge/answer/own-answer.ts';
import { readProxyHeader } from '../../../src/edge/client/proxy-protocol.ts';
import { cookieValue } from '../../../src/edge/http1/cookies.ts';
import { isOffered } from '../../../src/edge/http1/field-lists.ts';
import { latin1Bytes } from '../../../src/edge/http1/latin1.ts';
import { RequestHead } from '../../../src/edge/http1/request.ts';
import { ResponseHead } from '../../../src/edge/http1/response.ts';
import { forwardedElements } from '../../../src/edge/io/forwarded.ts';
import { HeaderEdit } from '../../../src/edge/route/header-rules.ts';

// Far more than any limit lets through: what is read through again for each of its parts would take minutes.
const MANY = 50_000;
const LIMITS = { headBytes: Number.MAX_SAFE_INTEGER, fields: MANY * 3, targetBytes: 100 };

function requestOf(fields: string): RequestHead {
  const text = `GET / HTTP/1.1\r\nHost: a\r\n${fields}`;
  const request = new RequestHead();
  expect(request.parse(text, latin1Bytes(text), 0, LIMITS)).toBeUndefined();
  return request;
}

test('many names in Connection are looked for among many fields in one pass', () => {
  const request = requestOf(`${'ab: 1\r\nax: 2\r\n'.repeat(MANY / 2)}Connection: ${'ax,ay,'.repeat(MANY)}x\r\n`);
  expect(request.head.kept()).toBe('ab: 1\r\n'.repeat(MANY / 2));
});

test('an upgrade that Connection lists many times is read once', () => {
  const request = requestOf(`Upgrade: ${'x,'.repeat(MANY)}h2c\r\nConnection: ${'upgrade,'.repeat(MANY)}upgrade\r\n`);
  expect(request.upgrade?.length).toBe(MANY * 2 - 1);
});

test('fields of an answer are looked for among many names in one pass', () => {
  const text = `HTTP/1.1 200 OK\r\n${'ab:\r\nax:\r\n'.repeat(100)}Connection: ${'ax,ay,'.repeat(MANY)}x\r\n`;
  const response = new ResponseHead();
  expect(response.parse(text, latin1Bytes(text), 0, 'GET', 256)).toBe(true);
  expect(response.head.kept()).toBe('ab:\r\n'.repeat(100));
});

test('a switch to more protocols than there are layers is refused, however many were offered', () => {
  const many = Array.from({ length: MANY }, (_, index) => `p${index}`).join(', ');
  expect(isOffered(many, many)).toBe(false);
  expect(isOffered('p1, p49999', many)).toBe(true);
  expect(isOffered('p1, q', many)).toBe(false);
});

/** Calls of a method of texts within `act`, and the characters of the texts that it was called on. */
function countOf(method: 'indexOf' | 'toLowerCase' | 'split', act: () => void): { calls: number; characters: number } {
  const original = String.prototype[method] as (...args: unknown[]) => unknown;
  let characters = 0;
  const spy = vi.spyOn(String.prototype, method).mockImplementation(function (this: string, ...args: unknown[]) {
    characters += this.length;
    return original.apply(this, args) as never;
  });
  try {
    act();
    return { calls: spy.mock.calls.length, characters };
  } finally {
    spy.mockRestore();
  }
}

describe('a list with more members than there may be fields is refused at the first that is too many', () => {
  const limits = { ...LIMITS, fields: 100 };

  test.each([
    ['Connection', ','],
    ['Connection', 'close,'],
    ['TE', 'trailers,'],
    ['Upgrade', 'a,'],
    ['Content-Length', '0,'],
    ['Transfer-Encoding', 'chunked,'],
    ['X-Forwarded-For', '10.0.0.1,'],
    ['X-Forwarded-Proto', ','],
    ['X-Real-IP', ','],
    ['Forwarded', 'for=10.0.0.1,'],
  ])('%s: %s…', (name, member) => {
    const text = `GET / HTTP/1.1\r\nHost: a\r\n${name}: ${member.repeat(MANY)}\r\n`;
    const bytes = latin1Bytes(text);
    const request = new RequestHead();
    let refusal: string | undefined;
    const parse = () => {
      refusal = request.parse(text, bytes, 0, limits);
    };
    expect(countOf('indexOf', parse).calls).toBeLessThan(limits.fields + 10);
    expect(countOf('split', parse).calls).toBe(0);
    expect(refusal).toBe('HEAD_TOO_LARGE');
    expect(request.parse(text.replace(member.repeat(MANY), member.repeat(99)), bytes, 0, limits)).not.toBe(refusal);
  });
});

describe('a name is not read to its end to learn that it is none that matters', () => {
  test.each(['X_', 'x-forwarded-_', 'cookie_', '_'])('%s…', (name) => {
    const fields = `${name}${'_'.repeat(MANY)}: 1\r\n`.repeat(10);
    const edit = new HeaderEdit({ set: [{ name: 'X-Rule', value: 'x' }], remove: ['X-Gone'] });
    const read = () => {
      const request = requestOf(fields);
      cookieValue(request.head, 'sid');
      edit.apply(`GET / HTTP/1.1\r\n${fields}\r\n`, undefined);
    };
    expect(countOf('toLowerCase', read).characters).toBeLessThan(1000);
  });
});

describe('a cookie is looked for by its name, however many others there are', () => {
  test.each([
    [';'.repeat(MANY), undefined],
    [`a=b; ${'sidx=1; '.repeat(MANY)}`, undefined],
    [`${' ;\t'.repeat(MANY)}sid=1`, '1'],
    [`xsid=2;sid =3; "sid=4" ;${' '.repeat(MANY)}sid= 5 ; sid=6`, '5'],
    ['sid=', ''],
    ['sid', undefined],
  ])('case %#', (value, found) => {
    const { head } = requestOf(`Cookie: ${value}\r\n`);
    let seen: string | undefined;
    const { calls } = countOf('indexOf', () => {
      seen = cookieValue(head, 'sid');
    });
    expect(seen).toBe(found);
    expect(calls).toBeLessThan(6);
  });
});

test.each([';', ' ;', 'a=b;', 'for=10.0.0.1;'])(
  'of a Forwarded that goes on and on with %s no more is read',
  (part) => {
    const exec = vi.spyOn(RegExp.prototype, 'exec');
    const elements = forwardedElements(part.repeat(MANY));
    const steps = exec.mock.calls.length;
    exec.mockRestore();
    expect(elements).toBeUndefined();
    expect(steps).toBeLessThan(2000);
  },
);

test.each(['text/html;q=1,', 'text/html,application/json;q=1,', ';q=1;q=1,', ',', ' ; ; '])(
  'of an Accept that goes on and on with %s two weights are read at most',
  (range) => {
    const accept = `text/html,${range.repeat(MANY)}`;
    const exec = vi.spyOn(RegExp.prototype, 'exec');
    const { calls } = countOf('split', () => prefersHtml(accept));
    const steps = exec.mock.calls.length;
    exec.mockRestore();
    expect(calls).toBe(1);
    expect(steps).toBeLessThanOrEqual(4);
  },
);

test('the type-length-values of a PROXY header are read through once for their form and once for TLS', () => {
  const count = Math.floor((2048 - 12) / 3);
  const rest = [...Buffer.alloc(12), ...Array.from({ length: count }, () => [4, 0, 0]).flat()];
  const head = Buffer.from([33, 17, rest.length >> 8, rest.length & 255, ...rest]);
  const header = Buffer.concat([Buffer.from('0d0a0d0a000d0a515549540a', 'hex'), head]);
  const read = vi.spyOn(header, 'readUInt16BE');
  expect(readProxyHeader(header)).toMatchObject({ outcome: 'read', length: header.length });
  expect(read.mock.calls.length).toBeLessThanOrEqual(2 * count + 4);
});

test.each(['a', '/', '?', '?a=b&', ';', '.', '%'])(
  'a target that goes on and on with %s is not searched for each',
  (part) => {
    const text = `GET /${part.repeat(MANY)} HTTP/1.1\r\nHost: a\r\n`;
    const bytes = latin1Bytes(text);
    const request = new RequestHead();
    const parse = () => void request.parse(text, bytes, 0, { ...LIMITS, targetBytes: text.length });
    const { calls, characters } = countOf('indexOf', parse);
    expect(calls).toBeLessThan(20);
    expect(characters).toBeLessThan(20 * text.length);
  },
);
