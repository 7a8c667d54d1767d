import { expect, test } from 'vitest';
import { Candidacy } from '../../../src/control/cluster/candidacy.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeConsul, FakeLock } from './fake-lock.ts';

const TTL_MS = 10_000;

/** Members that stand for the lock of one Consul, by name. */
async function standing(...names: string[]) {
  const clock = new VirtualClock();
  const consul = new FakeConsul(clock, TTL_MS);
  const members = new Map(
    names.map((name) => {
      const lock = new FakeLock(consul, clock, name);
      const states: string[] = [];
      const candidacy = new Candidacy({
        lock,
        clock,
        logger: silentLogger,
        ttlMs: TTL_MS,
        onChange: (_, { state }) => void states.push(state),
        onSeen: () => undefined,
      });
      return [name, { lock, candidacy, states }];
    }),
  );
  const of = (name: string) => {
    const member = members.get(name);
    if (member === undefined) throw new Error(`no member ${name}`);
    return member;
  };
  /** Who may act now. */
  const acting = () => names.filter((name) => of(name).candidacy.right !== undefined);
  for (const name of names) {
    of(name).candidacy.begin();
    await clock.advanceAsync(100);
  }
  return { clock, consul, of, acting };
}

test('the first to ask leads, and goes on as long as it renews', async () => {
  const { clock, acting, of } = await standing('a', 'b', 'c');
  for (let minute = 0; minute < 5; minute++) {
    await clock.advanceAsync(60_000);
    expect(acting()).toEqual(['a']);
  }
  expect(of('a').states).not.toContain('suspended');
  expect(of('b').candidacy.right).toBeUndefined();
});

test('another one leads within twice the TTL and three seconds after the leader is gone, under a higher index', async () => {
  const { clock, acting, of } = await standing('a', 'b');
  const index = of('a').candidacy.right ?? 0;
  of('a').lock.isCut = true;
  of('a').candidacy.close();
  await clock.advanceAsync(2 * TTL_MS + 3000);
  expect(acting()).toContain('b');
  expect(of('b').candidacy.right).toBeGreaterThan(index);
});

test('a leader that is cut off from Consul stops acting before anybody else leads', async () => {
  const { clock, acting, of } = await standing('a', 'b');
  await clock.advanceAsync(7000);
  of('a').lock.isCut = true;
  const seen: string[] = [];
  for (let at = 0; at < 25_000; at += 50) {
    await clock.advanceAsync(50);
    const now = acting().join('+') || 'nobody';
    if (seen.at(-1) !== now) seen.push(now);
  }
  expect(seen).toEqual(['a', 'nobody', 'b']);
  expect(of('a').states).toContain('suspended');
});

test('a leader is suspended while Consul is away, and goes on under the same index when it is back in time', async () => {
  const { clock, consul, acting, of } = await standing('a', 'b');
  const index = of('a').candidacy.right;
  consul.isAway = true;
  await clock.advanceAsync(8000);
  expect(acting()).toEqual([]);
  consul.isAway = false;
  await clock.advanceAsync(3000);
  expect(acting()).toEqual(['a']);
  expect(of('a').candidacy.right).toBe(index);
});

test('after a long time without Consul one leads again, whoever that is', async () => {
  const { clock, consul, acting } = await standing('a', 'b', 'c');
  consul.isAway = true;
  await clock.advanceAsync(300_000);
  expect(acting()).toEqual([]);
  consul.isAway = false;
  await clock.advanceAsync(30_000);
  expect(acting()).toHaveLength(1);
});

test('one that did not run for half a minute finds its right gone at its first act, before any timer of its own', async () => {
  const { clock, of } = await standing('a');
  const { candidacy } = of('a');
  expect(candidacy.right).toBeDefined();
  // Time passes, and nothing of the process runs.
  const now = clock.now();
  Object.defineProperty(clock, 'now', { value: () => now + 30_000 });
  expect(candidacy.right).toBeUndefined();
});

test('a right counts from when its renewal was asked for, however long the answer took', async () => {
  const { clock, acting, of } = await standing('a');
  expect(acting()).toEqual(['a']);
  of('a').lock.latencyMs = 3500;
  // What was asked for before is answered in time.
  await clock.advanceAsync(9000);
  for (let at = 0; at < 60_000; at += 50) {
    await clock.advanceAsync(50);
    expect(acting()).toEqual([]);
  }
});

test('who resigns gives the lock to another at once', async () => {
  const { clock, acting, of } = await standing('a', 'b');
  void of('a').candidacy.resign(new AbortController().signal);
  await clock.advanceAsync(1000);
  expect(acting()).toEqual(['b']);
});
