import { expect, test } from 'vitest';
import { Reach } from '../../../src/control/cluster/reach.ts';

const record = (member: string, unreached?: number) => ({
  member,
  address: { host: member, port: 1 },
  index: 7,
  ...(unreached !== undefined && { unreached }),
});

test('what is missing for a lease is told, and what is missing for a moment is not', () => {
  const reach = new Reach(1000);
  const told = [7, 7, 8, undefined].map((index) => reach.look(index === undefined ? index : { member: 'b', index }, 0));
  expect(told).toEqual([undefined, 7, undefined, undefined]);
});

test('a leader that nobody ever reached hears of those that tried, under its own index alone', () => {
  const reach = new Reach(1000);
  expect(reach.missedBy([record('b'), record('c', 7), record('d', 6)], 7, 0)).toEqual(['c']);
});

test('a leader that was reached before stays: it is cut off, as others may be', () => {
  const reach = new Reach(1000);
  expect(reach.missedBy([record('c', 7)], 7, 1)).toEqual([]);
  reach.look(undefined, 1);
  expect(reach.missedBy([record('c', 7)], 7, 0)).toEqual([]);
});

test('a leader leaves for nobody whom it had no connection to: of two that do not reach each other one leads', () => {
  const reach = new Reach(1000);
  for (let leases = 0; leases < 2; leases++) reach.look({ member: 'b', index: 6 }, 0);
  expect(reach.missedBy([record('b', 7)], 7, 0)).toEqual([]);
  expect(reach.missedBy([record('b', 7), record('c', 7)], 7, 0)).toEqual(['c']);
});

test('one that leaves the lead again and again stands for it ever later', () => {
  const reach = new Reach(1000);
  expect([reach.leave(), reach.leave(), reach.leave()]).toEqual([1000, 2000, 4000]);
  for (let times = 0; times < 20; times++) reach.leave();
  expect(reach.leave()).toBe(600_000);
});
