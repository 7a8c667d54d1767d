import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { testRun, testService, testSettings } from '../control/support/settings.ts';
import { World } from '../control/support/world.ts';

const MIB = 2 ** 20;
/** What a replica may have to itself before it goes, and what a wake waits for room at most, ms. */
const STAY_MS = 10_000;
const IN_USE_MS = 2000;
/** What an edge says of its idle time may be off by this much, ms. */
const SLACK_MS = 100;
/** Making a replica takes less, from the permit to its start, ms. */
const PREPARED_MS = 50;

interface Given {
  /** Memory of one replica of each service, MiB. */
  sizes: number[];
  paused: boolean[];
  /** Of all, MiB. */
  budget: number;
  stopMs: number;
  /** Who is called, after how long since the call before, and for how long that takes; ms. */
  calls: { service: number; afterMs: number; takesMs: number }[];
}

const size = fc.constantFrom(40, 100, 250);
const given: fc.Arbitrary<Given> = fc
  .record({ sizes: fc.array(size, { minLength: 3, maxLength: 6 }), budget: fc.constantFrom(150, 300, 500) })
  .chain(({ sizes, budget }) =>
    fc.record({
      sizes: fc.constant(sizes),
      budget: fc.constant(budget),
      paused: fc.array(fc.boolean(), { minLength: sizes.length, maxLength: sizes.length }),
      stopMs: fc.constantFrom(50, 500, 5000),
      calls: fc.array(
        fc.record({
          service: fc.nat({ max: sizes.length - 1 }),
          afterMs: fc.constantFrom(100, 1000, 3000, 15_000, 40_000),
          takesMs: fc.constantFrom(5, 4000, 20_000),
        }),
        { minLength: 5, maxLength: 20 },
      ),
    }),
  );

/** Services with memory, and what must never come of them. */
class MemoryWorld {
  readonly world: World;
  readonly violations: string[] = [];
  readonly #given: Given;
  /** By service: until when it is in use, and when its replica was ready. */
  readonly #usedUntil = new Map<string, number>();
  readonly #readyAt = new Map<string, number>();
  /** Services that there was no room for, of which no start was seen since. */
  readonly #told = new Set<string>();
  readonly #starts: { name: string; at: number; usedMiB: number; isTold: boolean }[] = [];
  /** Whether the last retire of a service was to make room. */
  readonly #isForRoom = new Map<string, boolean>();

  constructor(given: Given) {
    this.#given = given;
    const services = given.sizes.map((mib, index) =>
      testService(`s${index}`, {
        run: { ...testRun(), memory: mib * MIB, ...(given.paused[index] && { standby: 'paused' as const }) },
        scale: { idleMs: given.paused[index] ? 5000 : 3_600_000 },
      }),
    );
    const settings = testSettings(services);
    const memory = { bytes: given.budget * MIB };
    this.world = new World(
      { ...settings, budget: { ...settings.budget, memory } },
      { hostMemory: () => ({ totalBytes: 10_000 * MIB, availableBytes: 9000 * MIB }) },
    );
    const { runtime, control, clock } = this.world;
    runtime.behaviour.stopMs = given.stopMs;
    control.subscribe(({ type, service, message }) => {
      const name = service ?? '';
      if (type === 'over-memory') this.#told.add(name);
      if (type === 'ready') this.#readyAt.set(name, clock.now());
      if (type === 'retiring') this.#isForRoom.set(name, message.includes('cheapest to lose'));
    });
    // An edge may know of a call that control does not know of yet: then it has it back before it is stopped.
    runtime.onStop = (replica) => {
      const name = replica.replace(/-\d+$/, '');
      if (this.#isForRoom.get(name) !== true) return;
      const idleMs = clock.now() - (this.#usedUntil.get(name) ?? Number.NEGATIVE_INFINITY);
      if (idleMs < IN_USE_MS - SLACK_MS) this.violations.push(`${name} went ${idleMs} ms after its use`);
      const stayedMs = clock.now() - (this.#readyAt.get(name) ?? 0);
      if (stayedMs < STAY_MS) this.violations.push(`${name} went ${stayedMs} ms after it was ready`);
    };
    runtime.onStart = (name) => this.#started(name);
  }

  async play(): Promise<void> {
    const { world } = this;
    await world.start();
    const asked = [];
    for (const { service, afterMs, takesMs } of this.#given.calls) {
      await world.run(afterMs, 200);
      const name = `s${service}`;
      // Nothing that is used is sent away while it answers; who waits is in use from when it is answered.
      this.#usedUntil.set(name, Math.max(this.#usedUntil.get(name) ?? 0, world.clock.now() + takesMs));
      asked.push({ name, request: world.edge.request(name, { bodyMs: takesMs }) });
    }
    await world.run(60_000, 500);
    for (const { name, request } of asked)
      if (request.outcome !== 'answered') this.violations.push(`a call of ${name} was ${request.outcome}`);
    // When all is quiet, all that is kept fits in.
    const { usedBytes = 0 } = world.control.memory() ?? {};
    const least = Math.max(...this.#given.sizes);
    if (usedBytes > Math.max(this.#given.budget, least) * MIB)
      this.violations.push(`${usedBytes / MIB} MiB are kept of ${this.#given.budget}`);
    this.violations.push(...world.errors);
    // Nobody does nothing but start: each stays for a while whenever it starts.
    this.#judgeStarts();
    const spanMs = world.clock.now();
    const starts = world.runtime.calls.filter((call) => call.startsWith('start'));
    for (const [name, calls] of Map.groupBy(starts, (call) => call))
      if (calls.length > 1 + spanMs / STAY_MS) this.violations.push(`${name}: ${calls.length} times in ${spanMs} ms`);
  }

  #started(replica: string): void {
    const { clock, control, runtime } = this.world;
    // It has what it takes.
    if (runtime.calls.at(-1)?.startsWith('resume')) return;
    const name = replica.replace(/-\d+$/, '');
    const usedMiB = (control.memory()?.usedBytes ?? 0) / MIB;
    this.#starts.push({ name, at: clock.now(), usedMiB, isTold: this.#told.delete(name) });
  }

  /** Over the budget only where that was told of who starts; what it takes itself may be that of one that starts next. */
  #judgeStarts(): void {
    for (const [place, { name, at, usedMiB, isTold }] of this.#starts.entries()) {
      const next = this.#starts.slice(place + 1).filter((other) => other.at <= at + PREPARED_MS);
      const behind = next.reduce((sum, other) => sum + this.#sizeOf(other.name), 0);
      if (usedMiB - behind > this.#given.budget && !isTold)
        this.violations.push(`${name} starts at ${at} ms with ${usedMiB} MiB taken, untold`);
    }
  }

  #sizeOf(service: string): number {
    return this.#given.sizes[Number(service.slice(1))] ?? 0;
  }
}

test('memory keeps to its bound, nothing in use goes for it, everybody is answered, and nobody only ever starts', async () => {
  await fc.assert(
    fc.asyncProperty(given, async (each) => {
      const play = new MemoryWorld(each);
      await play.play();
      expect(play.violations).toEqual([]);
    }),
    { numRuns: 8 },
  );
});

test('two services that do not fit in together, and are called in turn, are answered each time and stay for a while', async () => {
  const calls = Array.from({ length: 60 }, (_, index) => ({ service: index % 2, afterMs: 3000, takesMs: 5 }));
  const play = new MemoryWorld({ sizes: [100, 100], paused: [false, false], budget: 150, stopMs: 50, calls });
  await play.play();
  expect(play.violations).toEqual([]);
  const starts = play.world.runtime.starts;
  expect(starts).toBeGreaterThan(2);
  // Sixty calls in three minutes: without a least stay each of them would be a start.
  expect(starts).toBeLessThanOrEqual(30);
});
