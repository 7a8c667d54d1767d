import { expect, test } from 'vitest';
import { duration, hours, memory, money, rate } from '../../src/dashboard/format.ts';

test.each([
  [null, '–'],
  [0, '0 ms'],
  [0.25, '0.25 ms'],
  [849.6, '850 ms'],
  [4200, '4.2 s'],
  [59_940, '59.9 s'],
  [59_990, '1 min'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [273_600_000, '3 d 4 h'],
])('a duration of %s ms reads %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test.each([
  [0, '0'],
  [0.01, '<0.1'],
  [0.44, '0.4'],
  [12.4, '12'],
  [3400, '3,400'],
])('%s per second reads %s', (perSecond, text) => {
  expect(rate(perSecond)).toBe(text);
});

test('sizes, added-up times and money', () => {
  expect([null, 3.14, 200, 2048].map(memory)).toEqual(['–', '3.1 MiB', '200 MiB', '2 GiB']);
  expect([340, 18_720].map(hours)).toEqual(['5 min 40 s', '5.2 h']);
  expect([money(null, 'EUR'), money(0.01234, 'EUR'), money(12.345, 'EUR')]).toEqual(['–', '0.0123 EUR', '12.35 EUR']);
});
