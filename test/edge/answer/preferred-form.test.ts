import { expect, test } from 'vitest';
import { prefersHtml } from '../../../src/edge/answer/own-answer.ts';
import { EdgeHarness } from '../edge-harness.ts';

test.each([
  [undefined, false],
  ['*/*', false],
  ['application/json', false],
  ['text/html', true],
  ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', true],
  ['text/html, application/json', true],
  ['application/json, text/html', false],
  ['application/json;q=0.5, text/html;q=0.9', true],
  ['text/html;q=0.1, application/json', false],
  ['text/html;q=0, */*', false],
  ['text/html;charset=utf-8;q=0.0, application/problem+json;q=0', false],
])('Accept: %s asks for HTML: %j', (accept, html) => {
  expect(prefersHtml(accept)).toBe(html);
});

const unreadable: [what: string, beginning: string, rest: string, status: number][] = [
  ['without a valid Host', '/ HTTP/1.1\r\nHost: a b', '', 400],
  ['of another version', '/ HTTP/2.0\r\nHost: a', '', 505],
  ['with a line that is no field', '/ HTTP/1.1\r\nHost: a', 'no field\r\n', 400],
  ['with too many fields', '/ HTTP/1.1\r\nHost: a', 'X: y\r\n'.repeat(200), 431],
  ['with too large a field', '/ HTTP/1.1\r\nHost: a', `Cookie: ${'c'.repeat(40_000)}\r\n`, 431],
  ['with too long a target', `/${'t'.repeat(9000)} HTTP/1.1\r\nHost: a`, '', 414],
];

test.each(unreadable)('a request %s is answered in the form that it asks for all the same', async (...row) => {
  const [, beginning, rest, status] = row;
  const harness = await EdgeHarness.start();
  const send = async (method: string, accept: string) => {
    const client = await harness.connect();
    client.write(`${method} ${beginning}\r\nAccept: ${accept}\r\n${rest}\r\n`);
    const answer = await client.answer(method);
    expect(answer.status).toBe(status);
    return { type: answer.fields['content-type'], behind: (await client.readAll()).length };
  };
  expect(await send('GET', 'text/html')).toEqual({ type: ['text/html; charset=utf-8'], behind: 0 });
  expect(await send('GET', 'application/json')).toEqual({ type: ['application/problem+json'], behind: 0 });
  expect(await send('HEAD', '*/*')).toEqual({ type: ['application/problem+json'], behind: 0 });
});
