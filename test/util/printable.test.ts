import { expect, test } from 'vitest';
import { printable } from '../../src/util/printable.ts';

test.each([
  ['plain text, ümlauts, 日本', 'plain text, ümlauts, 日本'],
  ['\u001b[31mred\u001b[0m and \u009b1mbold', 'red and bold'],
  ['\u001b]0;a title\u0007after', 'after'],
  ['a\rb\u0000c\u0085d', 'a\ufffdb\ufffdc\ufffdd'],
  ['one\ntwo\u2028three', 'one\ufffdtwo\ufffdthree'],
  ['abc\u202edef', 'abc\ufffddef'],
  ['a\tb   ', 'a b'],
  ['\u001b', '\ufffd'],
])('%j does nothing to a terminal', (text, shown) => {
  expect(printable(text, 100)).toBe(shown);
});

test('what is too long is cut', () => {
  expect(printable('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(9)}…`);
});
