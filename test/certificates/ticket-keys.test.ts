import { expect, test } from 'vitest';
import { TICKET_KEYS, TicketKeys } from '../../src/certificates/ticket-keys.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { FakeCluster } from './fake-secrets.ts';

const HOUR = 3_600_000;

test('members use the keys of whoever leads, who replaces them when they are old', () => {
  const clock = new VirtualClock(Date.now());
  const cluster = new FakeCluster();
  const [one, two] = [cluster.member(), cluster.member()];
  const [first, second] = [new TicketKeys(clock, undefined, one), new TicketKeys(clock, undefined, two)];
  // Nobody leads: each has its own.
  expect([first.rotate(), second.rotate()]).toEqual([false, false]);
  expect(cluster.values.size).toBe(0);
  cluster.lead(one);
  const { keys } = first.view;
  expect([first.rotate(), second.rotate()]).toEqual([false, true]);
  expect([first.view.keys, second.view.keys]).toEqual([keys, keys]);
  // Another leader, with a clock that is behind, goes on with them.
  const behind = new TicketKeys(new VirtualClock(Date.now() - HOUR / 12), undefined, two);
  cluster.lead(two);
  behind.rotate();
  expect(behind.view.keys).toBe(keys);
  // A member does not replace them, however old.
  cluster.lead(undefined);
  clock.advance(13 * HOUR);
  expect([first.rotate(), second.rotate()]).toEqual([false, false]);
  cluster.lead(two);
  expect(second.rotate()).toBe(true);
  expect(second.view.keys).not.toBe(keys);
  expect(first.rotate()).toBe(true);
  expect(first.view).toEqual(second.view);
  cluster.values.set(TICKET_KEYS, '{"keys":"short"}');
  expect(first.rotate()).toBe(false);
});
