import { expect, test } from 'vitest';
import { prefersHtml } from '../../src/edge/responses.ts';

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
