import { expect, test } from 'vitest';
import { parseSince } from '../../src/util/since.ts';

const NOW = Date.UTC(2026, 10, 29, 12);

test.each([
  ['10m', NOW - 600_000],
  ['1.5s', NOW - 1500],
  ['2026-11-29T11:00:00Z', NOW - 3_600_000],
  ['2026-11-29', Date.UTC(2026, 10, 29)],
  ['yesterday', undefined],
  ['10', undefined],
  ['', undefined],
])('%j', (text, expected) => {
  expect(parseSince(text, NOW)).toBe(expected);
});
