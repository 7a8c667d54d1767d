import { expect, test } from 'vitest';
import { type Permit, StartGate } from '../../../src/control/start/gate.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const budget = { replicas: 50, concurrentStarts: 2, startsPerMinute: 60, heldBytes: 0 };

function gateWith(change: Partial<typeof budget> = {}) {
  const clock = new VirtualClock();
  const gate = new StartGate(clock, { ...budget, ...change });
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
  return { clock, gate, granted, permits, ask };
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
