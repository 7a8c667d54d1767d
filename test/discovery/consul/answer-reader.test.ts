import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AnswerReader } from '../../../src/discovery/consul/answer-reader.ts';
import { AnswerRoom } from '../../../src/discovery/consul/answer-room.ts';

/** Reads a text whose pieces end at these places. */
function read(text: string, ends: readonly number[] = []): { reader: AnswerReader; body: string } {
  const room = new AnswerRoom();
  const reader = new AnswerReader(room);
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const end of [...ends.map((each) => each % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]) {
    // What follows lies there in a buffer that is used again.
    const piece = Buffer.concat([bytes.subarray(from, end), Buffer.from('\nrest of an earlier read\n')]);
    reader.read(piece, end - from);
    from = end;
  }
  return { reader, body: room.bytes.toString('latin1') };
}

const chunked = (parts: readonly string[], trailers = '') =>
  `HTTP/1.1 200 OK\r\nX-Consul-Index: 7\r\nTransfer-Encoding: chunked\r\n\r\n${parts
    .map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
    .join('')}0\r\n${trailers}\r\n`;

test('a body in parts is read the same however the bytes arrive', () => {
  const parts = fc.array(fc.string({ unit: fc.constantFrom('a', '\r', '\n', '0', '{'), minLength: 1, maxLength: 40 }));
  fc.assert(
    fc.property(parts, fc.array(fc.nat(), { maxLength: 12 }), fc.boolean(), (list, ends, hasTrailers) => {
      const { reader, body } = read(chunked(list, hasTrailers ? 'X-After: 1\r\n' : ''), ends);
      expect({ isKept: reader.isKept, status: reader.status, body }).toEqual({
        isKept: true,
        status: 200,
        body: list.join(''),
      });
      expect(reader.headers.get('x-consul-index')).toBe('7');
    }),
  );
});

test('a body of known length ends there, and one of unknown length with the connection', () => {
  const known = read('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n[1]', [40, 41]);
  expect([known.body, known.reader.isKept]).toEqual(['[1]', true]);
  const empty = read('HTTP/1.1 204 No Content\r\n\r\n');
  expect([empty.body, empty.reader.isKept]).toEqual(['', true]);
  const { reader, body } = read('HTTP/1.1 200 OK\r\n\r\n[1]');
  expect([body, reader.isDone, reader.end(), reader.isKept]).toEqual(['[1]', false, true, false]);
});

test('a connection is not used again that says so, is older, or brings more than was asked for', () => {
  const texts = ['HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', 'HTTP/1.0 204 OK\r\n\r\n'];
  for (const text of [...texts, `${chunked(['a'])}HTTP/1.1 200 OK`]) {
    const { reader } = read(text);
    expect([reader.isDone, reader.isKept]).toEqual([true, false]);
  }
});

test('what is said ahead of an answer is no part of it', () => {
  const { reader, body } = read(`HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n${chunked(['a', 'b'])}`);
  expect([reader.status, body, reader.headers.has('x-early')]).toEqual([200, 'ab', false]);
});

test('an answer that breaks off is not whole', () => {
  const text = chunked(['abc', 'def']);
  for (let length = 0; length < text.length; length++) {
    const { reader } = read(text.slice(0, length));
    expect(reader.end()).toBe(false);
  }
});

test.each([
  ['SSH-2.0-x\r\n', 'no answer of HTTP'],
  ['HTTP/2 200\r\n', 'no answer of HTTP'],
  ['HTTP/1.1 200 OK\r\nno field\r\n', 'no answer of HTTP'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n', 'no answer of HTTP'],
  ['HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'no answer of HTTP'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n', 'no answer of HTTP'],
  ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n', 'no answer of HTTP'],
  ['HTTP/1.1 200 OK\r\nContent-Length: 33554433\r\n\r\n', 'more than 32 MiB'],
  [`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}`, 'no answer of HTTP'],
])('%.60j is refused', (text, message) => {
  expect(() => read(text)).toThrow(message);
});

test('a body of more than 32 MiB is refused where its length is not told', () => {
  const reader = new AnswerReader(new AnswerRoom());
  reader.read(Buffer.from('HTTP/1.1 200 OK\r\n\r\n'));
  const piece = Buffer.alloc(2 ** 20);
  for (let count = 0; count < 32; count++) reader.read(piece);
  expect(() => reader.read(piece, 1)).toThrow('more than 32 MiB');
});
