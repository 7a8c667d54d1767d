import { expect, test } from 'vitest';
import { formatDuration } from '../../src/util/units.ts';

test.each([
  [180, '180ms'],
  [999.7, '1s'],
  [2500, '2.5s'],
  [59_970, '1m'],
  [119_600, '2m'],
  [121_000, '2m 1s'],
  [180_000, '3m'],
  [3_600_000, '1h'],
  [5_400_000, '1h 30m'],
])('%d ms reads %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});
