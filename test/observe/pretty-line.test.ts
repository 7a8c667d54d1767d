import { expect, test } from 'vitest';
import { prettyLine } from '../../src/observe/pretty-line.ts';

const at = new Date(2026, 4, 1, 12, 3, 4, 56).toISOString();

test('a line for people: time, level, message, fields', () => {
  const line = JSON.stringify({
    level: 'warn',
    time: at,
    service: 'shop',
    tookMs: 12,
    why: 'it ended',
    list: [1],
    msg: 'slow',
  });
  expect(prettyLine(line)).toBe('12:03:04.056 WARN  slow service=shop tookMs=12 why="it ended" list=[1]\n');
});

test('what would move the cursor, or be more than a line, does nothing', () => {
  const line = JSON.stringify({ level: 'info', time: at, msg: 'a\nb\x1b[2J' });
  expect(prettyLine(line)).toBe('12:03:04.056 INFO  a\ufffdb\n');
});
