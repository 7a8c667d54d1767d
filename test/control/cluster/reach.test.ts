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
  expect([reach.look(7, 0), reach.look(7, 0), reach.look(8, 0), reach.look(undefined, 0)]).toEqual([
    undefined,
    7,
    undefined,
    undefined,
  ]);
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

test('one that leaves the lead again and again stands for it ever later', () => {
  const reach = new Reach(1000);
  expect([reach.leave(), reach.leave(), reach.leave()]).toEqual([1000, 2000, 4000]);
  for (let times = 0; times < 20; times++) reach.leave();
  expect(reach.leave()).toBe(600_000);
});
