import { expect, test } from 'vitest';
import { type Permit, StartGate } from '../../../src/control/start/gate.ts';
import { MemoryBudget } from '../../../src/control/start/memory-budget.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const MIB = 2 ** 20;
const budget = { replicas: 50, concurrentStarts: 2, startsPerMinute: 60, heldBytes: 0 };

function gateWith(change: Partial<typeof budget> = {}) {
  const clock = new VirtualClock();
  const over: string[] = [];
  const gate = new StartGate(clock, { ...budget, ...change }, (service) => over.push(service));
  const granted: string[] = [];
  const permits: Permit[] = [];
  let count = 0;
  const ask = (service: string, limited = false) =>
    gate.request({
      service,
      replica: `${service}-${++count}`,
      limited,
      granted: (permit) => {
        granted.push(service);
        permits.push(permit);
      },
    });
  return { clock, gate, granted, permits, ask, over };
}

test('permits are shared round robin between services, however many one asks for', async () => {
  const { clock, granted, permits, ask } = gateWith();
  for (let i = 0; i < 4; i++) ask('a');
  ask('b');
  ask('c');
  await clock.advanceAsync(0);
  expect(granted).toEqual(['a', 'b']);
  while (permits.length > 0) {
    permits.shift()?.release();
    await clock.advanceAsync(0);
  }
  expect(granted).toEqual(['a', 'b', 'c', 'a', 'a', 'a']);
});

test('a permit that is released twice counts once', async () => {
  const { clock, granted, permits, ask } = gateWith({ concurrentStarts: 1 });
  for (let i = 0; i < 3; i++) ask('a');
  await clock.advanceAsync(0);
  permits[0]?.release();
  permits[0]?.release();
  await clock.advanceAsync(0);
  expect(granted).toHaveLength(2);
});

test('starts that no request waits for come at the configured rate, others at once', async () => {
  const { clock, granted, permits, ask } = gateWith({ startsPerMinute: 6, concurrentStarts: 100 });
  for (let i = 0; i < 9; i++) ask('background', true);
  for (let i = 0; i < 9; i++) ask('wake');
  await clock.advanceAsync(0);
  expect(granted.filter((service) => service === 'wake')).toHaveLength(9);
  expect(granted.filter((service) => service === 'background')).toHaveLength(6);
  await clock.advanceAsync(10_001);
  expect(granted.filter((service) => service === 'background')).toHaveLength(7);
  expect(permits).toHaveLength(16);
});

test('a start that a request came to need goes ahead of the rate', async () => {
  const { clock, granted, ask } = gateWith({ startsPerMinute: 1 });
  ask('a', true);
  const ticket = ask('b', true);
  await clock.advanceAsync(0);
  expect(granted).toEqual(['a']);
  ticket.hurry();
  await clock.advanceAsync(0);
  expect(granted).toEqual(['a', 'b']);
});

test('the budget counts replicas until they are gone', async () => {
  const { clock, gate, granted, permits, ask } = gateWith({ replicas: 2, concurrentStarts: 100 });
  gate.occupy('stopping', 'stopping-1');
  ask('a');
  ask('a');
  await clock.advanceAsync(0);
  expect(granted).toHaveLength(1);
  permits[0]?.release();
  await clock.advanceAsync(0);
  expect(granted).toHaveLength(1);
  expect(gate.leftFor('a')).toBe(0);
  gate.vacate('stopping', 'stopping-1');
  await clock.advanceAsync(0);
  expect(granted).toHaveLength(2);
});

test('a ticket that was given back is never granted', async () => {
  const { clock, granted, permits, ask } = gateWith({ concurrentStarts: 1 });
  ask('a');
  const ticket = ask('b');
  await clock.advanceAsync(0);
  ticket.cancel();
  permits[0]?.release();
  await clock.advanceAsync(0);
  expect(granted).toEqual(['a']);
});

/** What a service asks of the budget that nobody touches. */
const asks = (want: number) => ({ min: 0, want, leaving: 0, isFixed: false });

test('the first replica of a service for which a request waits comes before all else', async () => {
  const { clock, granted, permits, ask } = gateWith({ concurrentStarts: 1 });
  ask('a');
  await clock.advanceAsync(0);
  ask('a');
  ask('b', true);
  ask('c');
  for (let i = 0; i < 3; i++) {
    permits.shift()?.release();
    await clock.advanceAsync(0);
  }
  expect(granted).toEqual(['a', 'c', 'a', 'b']);
});

test('what is free goes to who is below its share, whoever asked before', async () => {
  const { clock, gate, granted, ask } = gateWith({ replicas: 6, concurrentStarts: 100 });
  for (let i = 1; i <= 4; i++) gate.occupy('a', `a-${i}`);
  for (let i = 1; i <= 2; i++) gate.occupy('b', `b-${i}`);
  gate.ask('a', asks(6));
  gate.ask('b', asks(6));
  ask('a', true);
  ask('b', true);
  await clock.advanceAsync(0);
  expect(granted).toEqual([]);
  expect([gate.leftFor('a'), gate.leftFor('b')]).toEqual([-1, 0]);
  gate.vacate('a', 'a-4');
  await clock.advanceAsync(0);
  expect(granted).toEqual(['b']);
});

test('what was given up for another is not had back before it has come to that', async () => {
  const { clock, gate, granted, ask } = gateWith({ replicas: 6 });
  for (let i = 1; i <= 4; i++) gate.occupy('a', `a-${i}`);
  gate.occupy('b', 'b-1');
  gate.ask('a', asks(4));
  gate.ask('b', asks(2));
  // There is room for all that is wanted, and none of it for more.
  expect([gate.leftFor('a'), gate.leftFor('b')]).toEqual([0, 1]);
  ask('a', true);
  ask('b', true);
  await clock.advanceAsync(0);
  expect(granted).toEqual(['b']);
  gate.ask('b', asks(1));
  gate.vacate('b', 'b-1');
  await clock.advanceAsync(0);
  expect(granted).toEqual(['b', 'a']);
});

test('who has more than its share is told as long as another is short, and one at a time goes to each', async () => {
  const { clock, gate, over } = gateWith({ replicas: 6 });
  for (let i = 1; i <= 6; i++) gate.occupy('a', `a-${i}`);
  gate.ask('a', asks(6));
  gate.ask('b', asks(3));
  gate.ask('c', asks(1));
  await clock.advanceAsync(0);
  expect([over, gate.givesOf('a'), gate.givesOf('b')]).toEqual([['a'], ['b', 'c'], []]);
  gate.ask('a', { ...asks(4), leaving: 2 });
  await clock.advanceAsync(0);
  expect([over, gate.givesOf('a')]).toEqual([['a'], []]);
});

test('where there is no room for all it is told who has what, those that have most by name', async () => {
  const { clock, gate } = gateWith({ replicas: 9 });
  expect(gate.factsFor('s1')).toEqual({});
  for (let service = 1; service <= 7; service++) gate.occupy(`s${service}`, `s${service}-1`);
  gate.occupy('s7', 's7-2');
  gate.ask('s7', { ...asks(1), leaving: 1 });
  gate.ask('s1', asks(5));
  await clock.advanceAsync(0);
  expect(gate.factsFor('s1')).toEqual({});
  gate.occupy('s6', 's6-2');
  await clock.advanceAsync(0);
  expect(gate.factsFor('s1')).toEqual({
    budget: 9,
    budgetHeld: 9,
    fairShare: 2,
    'heldBy.s6': 2,
    'heldBy.s7': 2,
    'leavingOf.s7': 1,
    'heldBy.s1': 1,
    'heldBy.s2': 1,
    'heldBy.s3': 1,
    heldByOthers: 2,
  });
});

test('giving up a place that was granted leaves alone what is asked for in its name since', async () => {
  const clock = new VirtualClock();
  const memory = new MemoryBudget({
    clock,
    bound: { bytes: 300 * MIB },
    host: () => ({ totalBytes: 1000 * MIB, availableBytes: 900 * MIB }),
    onWanted: () => {},
    onOver: () => {},
    onRoom: () => {},
  });
  memory.put('a', { needMiB: 100, isMeasured: true, startMs: 1000, callsPerHour: 1, usedAt: 0, holders: [] });
  const gate = new StartGate(clock, { ...budget, concurrentStarts: 1 }, () => {}, memory);
  const first = gate.request({ service: 'a', replica: 'a-1', limited: false, granted: () => {} });
  await clock.advanceAsync(0);
  gate.request({ service: 'a', replica: 'a-1', limited: false, granted: () => {} });
  await clock.advanceAsync(0);
  const left = () => memory.factsFor('b', 100, 9).memoryLeft;
  expect(left()).toBe(1);
  first.cancel();
  expect(left()).toBe(1);
});
