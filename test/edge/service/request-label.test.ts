import { expect, test } from 'vitest';
import { requestLabel } from '../../../src/edge/service/activity.ts';

test.each([
  ['GET', '/a/b?x=1', 'GET /a/b'],
  ['GET', '/reset/0123456789abcdef0123456789abcdef', 'GET /reset/…'],
  ['GET', `/${'ab/'.repeat(100)}`, `GET /${'ab/'.repeat(20).slice(0, 59)}…`],
  ['GET', '/\u00ff\u0001', 'GET /??'],
  ['OPTIONS', '*', 'OPTIONS *'],
])('%s %s is told as %s', (method, target, label) => {
  expect(requestLabel(method, target)).toBe(label);
});
