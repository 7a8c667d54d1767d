import { expect, test } from 'vitest';
import { latin1Bytes } from '../../src/edge/http1/latin1.ts';
import { isOffered, RequestHead } from '../../src/edge/http1/request.ts';
import { ResponseHead } from '../../src/edge/http1/response.ts';

// Far more than any limit lets through: what is read through again for each of its parts would take minutes.
const MANY = 50_000;
const LIMITS = { headBytes: Number.MAX_SAFE_INTEGER, fields: MANY * 2, targetBytes: 100 };

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
