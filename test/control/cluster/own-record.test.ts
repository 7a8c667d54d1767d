import { expect, test } from 'vitest';
import { OwnRecord } from '../../../src/control/cluster/own-record.ts';
import type { LockState } from '../../../src/model/cluster.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeConsul, FakeLock } from './fake-lock.ts';

function world() {
  const clock = new VirtualClock();
  const consul = new FakeConsul(clock, 10_000);
  const lock = new FakeLock(consul, clock, 'a');
  const self = { member: 'a', address: { host: 'a', port: 1 } };
  const record = new OwnRecord({ lock, self, clock, logger: silentLogger, againMs: 1000 });
  const run = async (ms: number) => {
    for (const end = clock.now() + ms; clock.now() < end; ) await clock.advanceAsync(5);
  };
  const index = () => consul.records.get('a')?.index;
  return { consul, lock, record, run, index, never: new AbortController().signal };
}

test('it is tried again until it is there', async () => {
  const { consul, record, run, index } = world();
  consul.isAway = true;
  void record.enter(7);
  await run(3000);
  expect(index()).toBe(undefined);
  consul.isAway = false;
  await run(3000);
  expect(index()).toBe(7);
});

test('what was being written when the member left does not stay behind', async () => {
  const { lock, record, run, index, never } = world();
  lock.latencyMs = 200;
  void record.enter(7);
  await run(50);
  lock.latencyMs = 5;
  const left = record.leave(never);
  await run(1000);
  await left;
  expect(index()).toBe(undefined);
});

test('one whose end does not wait gives up an index', async () => {
  const { consul, record, run, index } = world();
  consul.isAway = true;
  const entered = record.enter(7);
  await run(500);
  record.giveUp(7);
  await run(3000);
  await entered;
  consul.isAway = false;
  await run(3000);
  expect(index()).toBe(undefined);
});

test('one that was taken out enters itself again, and not after it has left', async () => {
  const { consul, record, run, index, never } = world();
  const see = () => record.seen(consul.state as LockState);
  void record.enter(7);
  await run(100);
  see();
  consul.leave('a');
  see();
  await run(100);
  expect(index()).toBe(7);
  see();
  const left = record.leave(never);
  await run(100);
  await left;
  see();
  await run(100);
  expect(index()).toBe(undefined);
});
