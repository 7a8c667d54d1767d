import { expect, test } from 'vitest';
import { readRivals } from '../../../src/simulate/spec/rivals-spec.ts';

test('rivals are named with commas between them', () => {
  expect(readRivals('kpa,hpa,fixed:3', 8).map(({ name }) => name)).toEqual(['kpa', 'hpa', 'fixed:3']);
});

test.each(['', 'kpa:3', 'fixed', 'fixed:0', 'keda'])('"%s" is refused', (text) => {
  expect(() => readRivals(text, 8)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
