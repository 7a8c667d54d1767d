import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Head } from '../../../src/edge/http1/head.ts';

const MOST_FIELDS = 3;
const lines = ['GET / HTTP/1.1', 'GET /longer?a=b HTTP/1.1', ''];
const fields = [
  'Host: a',
  'Host: b',
  'X-Request-ID: 1',
  'Date:  now ',
  'TE : x',
  'Bad\0: 1',
  'No colon',
  'A: b\rc',
  ' folded',
];

/** A head, and which of its fields is left out once it was read. */
const heads = fc.record({
  line: fc.constantFrom(...lines),
  fields: fc.array(fc.constantFrom(...fields), { maxLength: MOST_FIELDS + 1 }),
  dropped: fc.nat(MOST_FIELDS),
  before: fc.constantFrom('', 'other bytes of the same read'),
});

/** All that can be asked of a head. */
function told(head: Head, line: string, of: readonly string[], before: string, spaceBeforeColon: boolean) {
  const text = [line, ...of, ''].join('\r\n');
  const isSound = head.parse(text, Buffer.from(before + text, 'latin1'), before.length, MOST_FIELDS, spaceBeforeColon);
  if (!isSound) return { fault: head.fault };
  if (head.count > MOST_FIELDS) return { count: head.count };
  const each = Array.from({ length: head.count }, (_, index) => [
    head.kind(index),
    head.name(index),
    head.value(index),
    head.isDropped(index),
  ]);
  return {
    each,
    lineEnd: head.lineEnd,
    kept: head.kept(),
    all: head.kept(true),
    host: head.get('host'),
    at: head.find('te'),
  };
}

test('a head is read as by itself, whatever the connection sent before it', () => {
  const property = fc.property(
    fc.array(heads, { minLength: 2, maxLength: 6 }),
    fc.boolean(),
    (all, spaceBeforeColon) => {
      const kept = new Head();
      for (const { line, fields: of, dropped, before } of all) {
        const alone = new Head();
        expect(told(kept, line, of, before, spaceBeforeColon)).toEqual(told(alone, line, of, before, spaceBeforeColon));
        for (const head of [kept, alone]) if (dropped < head.count) head.drop(dropped);
        if (kept.count <= MOST_FIELDS) expect(kept.kept()).toBe(alone.kept());
      }
    },
  );
  fc.assert(property, { numRuns: 2000 });
});

test('the same fields again are those of the new head, with none of them left out', () => {
  const head = new Head();
  const read = (text: string, most = 10) => head.parse(text, Buffer.from(text, 'latin1'), 0, most, false);
  expect(read('GET /a HTTP/1.1\r\nHost: a\r\nX: 1\r\n')).toBe(true);
  head.drop(0);
  expect(head.kept()).toBe('X: 1\r\n');
  expect(read('POST /longer HTTP/1.1\r\nHost: a\r\nX: 1\r\n')).toBe(true);
  expect([head.kept(true), head.value(1)]).toEqual(['POST /longer HTTP/1.1\r\nHost: a\r\nX: 1\r\n', '1']);
});

test('fields are not known from a head that had too many of them, nor where fewer may come now', () => {
  const text = 'GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\nC: 3\r\n';
  const read = (head: Head, most: number) => {
    expect(head.parse(text, Buffer.from(text, 'latin1'), 0, most, false)).toBe(true);
    return head.count;
  };
  const head = new Head();
  expect([1, 1, 3, 1, 3].map((most) => read(head, most))).toEqual([2, 2, 3, 2, 3]);
  expect(head.value(2)).toBe('3');
});
