import { expect, test } from 'vitest';
import type { MemoryHolder, MemoryStake } from '../../../src/control/start/cheapest-to-lose.ts';
import { MemoryBudget } from '../../../src/control/start/memory-budget.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const MIB = 2 ** 20;

function budgetOf(mib: number, availableMiB = 10_000) {
  const wanted: string[] = [];
  const over: string[] = [];
  const budget = new MemoryBudget({
    clock: new VirtualClock(),
    bound: { bytes: mib * MIB },
    host: () => ({ totalBytes: 16_384 * MIB, availableBytes: availableMiB * MIB }),
    onWanted: (service, _losses, why) => wanted.push(`${service}: ${why}`),
    onOver: (service, text) => over.push(`${service} ${text}`),
    onRoom: () => {},
  });
  return { budget, wanted, over };
}

function holderOf(memoryMiB: number): MemoryHolder {
  return { ordinal: 1, name: 'a-1', memoryMiB, state: 'used', mayGoAt: 0, isSpare: false };
}

/** Replicas of a service, each of which has 100 MiB; none of them may go unless that is said. */
function stakeOf(states: MemoryHolder['state'][], change: Partial<MemoryStake> = {}, mayGo = false): MemoryStake {
  const holders = states.map((state, index) => {
    const ordinal = index + 1;
    return { ...holderOf(100), ordinal, name: `a-${ordinal}`, state, mayGoAt: mayGo ? 0 : undefined };
  });
  return { needMiB: 100, isMeasured: true, startMs: 1000, callsPerHour: 1, usedAt: 0, holders, ...change };
}

test('what there is no room for is told as that, and not all that a start takes', () => {
  const { budget, over } = budgetOf(150);
  budget.put('a', stakeOf(['used'], { holders: [{ ...holderOf(39), mayGoAt: undefined }] }));
  budget.put('b', stakeOf([], { needMiB: 128 }));
  expect(budget.admits('b', 'b-1')).toBe(true);
  budget.take('b', 'b-1');
  expect(over).toEqual([
    'b takes 128 MiB, 17 MiB more than there is room for (39 of 150 MiB are taken): nothing may go to make room',
  ]);
});

test('what takes nothing waits for nobody and is over nothing, however much is taken', () => {
  const { budget, wanted, over } = budgetOf(150);
  budget.put('a', stakeOf(['paused']));
  budget.put('b', stakeOf(['used'], {}, true));
  expect(budget.admits('a', 'a-1')).toBe(true);
  budget.take('a', 'a-1');
  expect([wanted, over]).toEqual([[], []]);
});

test('what is not known of a service is what others need, and else no more than a part of the budget', () => {
  const { budget } = budgetOf(4096);
  expect(budget.guessMiB).toBe(128);
  expect(budgetOf(160).budget.guessMiB).toBe(20);
  budget.put('guessed', stakeOf(['used'], { needMiB: 900, isMeasured: false }));
  expect(budget.guessMiB).toBe(128);
  budget.put('a', stakeOf(['used'], { needMiB: 30 }));
  budget.put('b', stakeOf(['used', 'used'], { needMiB: 50 }));
  expect(budget.guessMiB).toBe(40);
  budget.put('b', stakeOf(['used'], { needMiB: 70 }));
  expect(budget.guessMiB).toBe(50);
  budget.put('a', undefined);
  expect(budget.guessMiB).toBe(70);
  // When all of them sleep it is known all the same.
  budget.put('b', undefined);
  expect(budget.guessMiB).toBe(70);
});

test('there is memory for what is paused, and none twice for what stands in the queue', () => {
  const { budget } = budgetOf(550);
  budget.put('a', stakeOf(['used', 'paused', 'paused']));
  expect(budget.factsFor('a', 100, 10)).toMatchObject({ memoryLeft: 4, memoryTakenMiB: 300 });
  expect(budget.factsFor('a', 100, 10, 3)).toMatchObject({ memoryLeft: 1 });
  expect(budget.factsFor('b', 100, 10)).toMatchObject({ memoryLeft: 2 });
  expect(budget.factsFor('b', 100, 2)).toEqual({});
  budget.put('c', stakeOf(['used', 'used', 'used']));
  expect(budget.factsFor('a', 100, 10)).toMatchObject({ memoryLeft: 2 });
  const short = budgetOf(550, 50).budget;
  short.put('a', stakeOf(['used', 'paused']));
  expect(short.factsFor('a', 100, 10)).toMatchObject({ memoryLeft: 1, memoryAvailableMiB: 50, memoryReserveMiB: 0 });
});

test('what one service has asked for is no room for another, until it is given up or taken', () => {
  const { budget } = budgetOf(550);
  for (const name of ['a', 'b', 'c']) budget.put(name, stakeOf(['used']));
  const left = (name: string) => budget.factsFor(name, 100, 10).memoryLeft;
  expect([left('a'), left('b')]).toEqual([2, 2]);
  budget.ask('a', 'a-2');
  budget.ask('a', 'a-2');
  budget.ask('c', 'c-2');
  // Its own are told apart by whoever asks.
  expect([left('a'), left('b'), left('c')]).toEqual([1, 0, 1]);
  expect(budget.refusalAhead('d', 100)).toMatchObject({ memoryLeft: 0 });
  budget.forget('c-2');
  expect([left('a'), left('b')]).toEqual([2, 1]);
  budget.take('a', 'a-2');
  expect([left('a'), left('b')]).toEqual([1, 1]);
  budget.put('a', stakeOf(['used', 'used']));
  expect([left('a'), left('b')]).toEqual([1, 1]);
});

test('replicas go as they have grown over the budget only where they have', async () => {
  const { budget, wanted } = budgetOf(250);
  budget.put('a', stakeOf(['used', 'leaving']));
  budget.put('b', stakeOf([], { needMiB: 180 }));
  // It waits for the one that leaves; what else may go a moment later, it has go itself.
  expect(budget.admits('b', 'b-1')).toBe(false);
  budget.put('c', stakeOf(['used'], { holders: [holderOf(30)] }));
  budget.tick();
  await Promise.resolve();
  expect(wanted).toEqual([]);
  budget.put('d', stakeOf(['used', 'used']));
  budget.tick();
  await Promise.resolve();
  expect(wanted).toEqual([expect.stringContaining('as replicas take more than the budget (430 of 250 MiB are taken)')]);
  budget.close();
});

test('a replica that needs nothing has room, and where none is left no number is told that is none', () => {
  const { budget } = budgetOf(100);
  expect(budget.factsFor('b', 0, 1)).toEqual({});
  budget.put('a', stakeOf(['used']));
  expect(budget.factsFor('b', 0, 1)).toEqual({});
  budget.put('a', stakeOf(['used', 'used']));
  expect(budget.factsFor('b', 0, 1)).toMatchObject({ memoryLeft: 0, memoryNeedMiB: 0 });
});
