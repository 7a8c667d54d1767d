import { expect, test } from 'vitest';
import { chooseDatacenter, type Serving } from '../../../src/discovery/consul/datacenters.ts';

const unknown = { isKnown: false, isUsable: false };
const empty = { isKnown: true, isUsable: false };
const full = { isKnown: true, isUsable: true };
const start: Serving = { state: 'waiting', since: 0 };
const serving = (at: number, backSince?: number): Serving => ({ state: 'serving', at, backSince });

test('the first that has a usable instance serves', () => {
  expect(chooseDatacenter(start, [full, full], 0)).toEqual(serving(0));
  expect(chooseDatacenter(start, [empty, full], 0)).toEqual(serving(1));
  expect(chooseDatacenter(start, [empty, empty], 0)).toEqual(serving(0));
});

test('the first answer of one in front is waited for, but not for long', () => {
  expect(chooseDatacenter(start, [unknown, full], 1999)).toEqual(start);
  expect(chooseDatacenter(start, [unknown, full], 2000)).toEqual(serving(1));
  expect(chooseDatacenter(start, [full, unknown], 0)).toEqual(serving(0));
});

test('while none is known nothing serves', () => {
  expect(chooseDatacenter(start, [unknown, unknown], 60_000)).toEqual(start);
  expect(chooseDatacenter(start, [unknown, empty], 60_000)).toEqual(start);
});

test('the next one serves at once when it has none any more, and one in front after 10 s in which it always could', () => {
  let now = serving(0);
  now = chooseDatacenter(now, [empty, full], 100);
  expect(now).toEqual(serving(1));
  now = chooseDatacenter(now, [full, full], 5000);
  expect(now).toEqual(serving(1, 5000));
  now = chooseDatacenter(now, [empty, full], 9000);
  expect(now).toEqual(serving(1));
  now = chooseDatacenter(now, [full, full], 11_000);
  expect(chooseDatacenter(now, [full, full], 20_999)).toEqual(serving(1, 11_000));
  expect(chooseDatacenter(now, [full, full], 21_000)).toEqual(serving(0));
});

test('one in front serves at once when that which serves has none', () => {
  expect(chooseDatacenter(serving(1, 5000), [full, empty], 5001)).toEqual(serving(0));
});

test('where none has any, nothing changes', () => {
  expect(chooseDatacenter(serving(1), [empty, empty], 60_000)).toEqual(serving(1));
});
