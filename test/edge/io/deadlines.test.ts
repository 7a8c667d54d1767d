import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DeadlineEntry, Deadlines } from '../../../src/edge/io/deadlines.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

class Entry implements DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  readonly fired: number[] = [];
  readonly #clock: VirtualClock;
  #then: (() => void) | undefined;

  constructor(clock: VirtualClock, then?: () => void) {
    this.#clock = clock;
    this.#then = then;
  }

  onDeadline(): void {
    this.fired.push(this.#clock.now());
    this.#then?.();
  }
}

function started(at = 1000): { clock: VirtualClock; deadlines: Deadlines } {
  const clock = new VirtualClock();
  clock.advance(at);
  return { clock, deadlines: new Deadlines(clock) };
}

test('fires once, not before it is due and at most 100 ms after', () => {
  const at = fc.double({ min: 0, max: 10_000, noNaN: true });
  fc.assert(
    fc.property(at, fc.array(fc.tuple(at, at), { minLength: 1, maxLength: 20 }), (start, arms) => {
      const { clock, deadlines } = started(1000 + start);
      const entries = arms.map(([wait, ms]) => {
        clock.advance(wait / 20);
        const entry = new Entry(clock);
        deadlines.arm(entry, ms);
        return { entry, due: clock.now() + ms };
      });
      clock.advance(20_000);
      for (const { entry, due } of entries) {
        expect(entry.fired).toHaveLength(1);
        expect(entry.fired[0]).toBeGreaterThanOrEqual(due);
        expect(entry.fired[0]).toBeLessThanOrEqual(due + 100.001);
      }
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 200 },
  );
});

test('comes due when it should, however many turns of the wheel that is ahead', () => {
  const wait = fc.integer({ min: 0, max: 3_600_000 });
  fc.assert(
    fc.property(fc.array(wait, { minLength: 1, maxLength: 12 }), (waits) => {
      const { clock, deadlines } = started();
      const entries = waits.map((ms) => {
        const entry = new Entry(clock);
        deadlines.arm(entry, ms);
        return { entry, due: clock.now() + ms };
      });
      clock.advance(3_601_000);
      for (const { entry, due } of entries) {
        expect(entry.fired).toHaveLength(1);
        expect(entry.fired[0]).toBeGreaterThanOrEqual(due);
        expect(entry.fired[0]).toBeLessThanOrEqual(due + 100.001);
      }
      expect(deadlines.size).toBe(0);
    }),
    { numRuns: 5 },
  );
});

test('what is forgotten leaves the others in their places', () => {
  const { clock, deadlines } = started();
  const entries = Array.from({ length: 5 }, () => new Entry(clock));
  for (const entry of entries) deadlines.arm(entry, 500);
  deadlines.forget(entries[1] as Entry);
  deadlines.forget(entries[4] as Entry);
  deadlines.forget(entries[1] as Entry);
  expect(deadlines.size).toBe(3);
  clock.advance(1000);
  expect(entries.map(({ fired }) => fired.length)).toEqual([1, 0, 1, 1, 0]);
});

test('whatever is armed, moved and disarmed, only the last word counts', () => {
  const step = fc.record({
    entry: fc.integer({ min: 0, max: 3 }),
    arm: fc.option(fc.integer({ min: 0, max: 2000 })),
    wait: fc.integer({ min: 0, max: 300 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { clock, deadlines } = started();
      const entries = [0, 1, 2, 3].map(() => new Entry(clock));
      const due: (number | undefined)[] = [undefined, undefined, undefined, undefined];
      const check = () => {
        for (const [index, entry] of entries.entries()) {
          const expected = due[index] ?? Number.POSITIVE_INFINITY;
          if (entry.fired.length === 0) {
            // A matcher for each moment of each entry would take most of the time.
            if (clock.now() > expected + 100) expect(clock.now()).toBeLessThanOrEqual(expected + 100);
            continue;
          }
          expect(entry.fired).toHaveLength(1);
          expect(entry.fired[0]).toBeGreaterThanOrEqual(expected);
          expect(entry.fired[0]).toBeLessThanOrEqual(expected + 100);
          entry.fired.length = 0;
          due[index] = undefined;
        }
      };
      for (const { entry, arm, wait } of steps) {
        if (arm === null) {
          deadlines.disarm(entries[entry] as Entry);
          due[entry] = undefined;
        } else {
          deadlines.arm(entries[entry] as Entry, arm);
          due[entry] = clock.now() + arm;
        }
        for (let i = 0; i < wait; i += 10) {
          clock.advance(10);
          check();
        }
      }
      clock.advance(5000);
      check();
      expect(due).toEqual([undefined, undefined, undefined, undefined]);
      expect(clock.pending).toBe(0);
      expect(deadlines.size).toBe(0);
    }),
    { numRuns: 100 },
  );
});

test('a deadline may be armed again from within its own call', () => {
  const { clock, deadlines } = started();
  const entry: Entry = new Entry(clock, () => {
    if (entry.fired.length < 5) deadlines.arm(entry, 0);
  });
  deadlines.arm(entry, 0);
  clock.advance(2000);
  expect(entry.fired).toHaveLength(5);
  expect(clock.pending).toBe(0);
});

test('a deadline of no time at all is a deadline, from the first moment of the clock on', () => {
  const { clock, deadlines } = started(0);
  const entry = new Entry(clock);
  deadlines.arm(entry, 0);
  clock.advance(200);
  expect(entry.fired).toHaveLength(1);
});

test('moving a deadline to later with every request does not pile up entries', () => {
  const { clock, deadlines } = started();
  const entry = new Entry(clock);
  for (let i = 0; i < 10_000; i++) {
    deadlines.arm(entry, 75_000);
    clock.advance(1);
  }
  expect(deadlines.size).toBeLessThanOrEqual(2);
  expect(entry.fired).toHaveLength(0);
});

test('alternating a short and a long deadline does not pile up entries', () => {
  const { clock, deadlines } = started();
  const entry = new Entry(clock);
  for (let i = 0; i < 10_000; i++) {
    deadlines.arm(entry, i % 2 === 0 ? 75_000 : 2000);
    clock.advance(1);
  }
  expect(deadlines.size).toBeLessThanOrEqual(300);
});

test('nothing is left of a closed wheel', () => {
  const { clock, deadlines } = started();
  const entry = new Entry(clock);
  deadlines.arm(entry, 500);
  deadlines.close();
  expect(clock.pending).toBe(0);
  clock.advance(1000);
  expect(entry.fired).toHaveLength(0);
});

test('keeps nothing of what is forgotten, and holds nothing in two places', () => {
  const { clock, deadlines } = started();
  const entry = new Entry(clock);
  deadlines.arm(entry, 75_000);
  deadlines.arm(entry, 10_000);
  expect(deadlines.size).toBe(1);
  deadlines.forget(entry);
  expect(deadlines.size).toBe(0);
  deadlines.arm(entry, 500);
  clock.advance(600);
  expect(entry.fired).toHaveLength(1);
  expect(clock.pending).toBe(0);
});

test('a flood of what is due at once leaves others their turn, and all of it is due in time', () => {
  const virtual = new VirtualClock();
  virtual.advance(1000);
  let breaks = 0;
  const clock: Clock = {
    now: () => virtual.now(),
    wall: () => virtual.wall(),
    every: (ms, fn) => virtual.every(ms, fn),
    after: (ms, fn) => {
      if (ms === 0) breaks++;
      return virtual.after(ms, fn);
    },
  };
  const deadlines = new Deadlines(clock);
  const entries = Array.from({ length: 1000 }, () => new Entry(virtual));
  for (const entry of entries) deadlines.arm(entry, 200);
  virtual.advance(300);
  expect(entries.every(({ fired }) => fired.length === 1)).toBe(true);
  expect(breaks).toBe(7);
  expect(deadlines.size).toBe(0);
});

test('thousands that are due over and over do not keep others waiting', () => {
  const { clock, deadlines } = started();
  const watchers = Array.from({ length: 5000 }, () => {
    const watcher: Entry = new Entry(clock, () => deadlines.arm(watcher, 500));
    return watcher;
  });
  for (const watcher of watchers) deadlines.arm(watcher, 500);
  clock.advance(10_000);
  const probes = [100, 500, 2000].map((ms) => ({ ms, at: clock.now(), entry: new Entry(clock) }));
  for (const { entry, ms } of probes) deadlines.arm(entry, ms);
  clock.advance(10_000);
  for (const { entry, ms, at } of probes) {
    expect(entry.fired).toHaveLength(1);
    expect((entry.fired[0] as number) - at - ms).toBeLessThanOrEqual(100);
  }
  // Every 550 ms at the latest.
  for (const { fired } of watchers) expect(fired.length).toBeGreaterThanOrEqual(36);
});

test('one that is forgotten, or moved, while it waits for its turn is not due', () => {
  const { clock, deadlines } = started();
  const [forgotten, moved, again] = [new Entry(clock), new Entry(clock), new Entry(clock)];
  const first = new Entry(clock, () => {
    deadlines.forget(forgotten);
    deadlines.arm(moved, 1000);
    deadlines.forget(again);
    deadlines.arm(again, 300);
  });
  for (const entry of [first, forgotten, moved, again]) deadlines.arm(entry, 100);
  clock.advance(200);
  expect([first, forgotten, moved, again].map(({ fired }) => fired.length)).toEqual([1, 0, 0, 0]);
  clock.advance(2000);
  expect([first, forgotten, moved, again].map(({ fired }) => fired.length)).toEqual([1, 0, 1, 1]);
});
