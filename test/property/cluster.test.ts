import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type FakeMember, Fleet } from '../control/cluster/fleet.ts';
import { testService } from '../control/support/settings.ts';

const IDLE_MS = 20_000;
const MEMBERS = 3;
const SEED = Number(process.env['CLUSTER_SEED'] ?? 0x1ead);
const RUNS = Number(process.env['CLUSTER_HISTORIES'] ?? 100);

/** What happens to a fleet, one after the other; `member` counts modulo those there are. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('requests' as const),
      member: fc.nat(2),
      count: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('kill' as const), member: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('pause' as const), member: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('cut off' as const), member: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('no Consul' as const), member: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('Consul away' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('heal' as const) }) },
);
const history = fc.array(
  fc.record({
    event: happening,
    thenMs: fc.oneof(fc.integer({ min: 10, max: 500 }), fc.integer({ min: 1000, max: 30_000 })),
  }),
  { minLength: 3, maxLength: 14 },
);

type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Looks at every act as it comes. What is wrong is thrown at the end, as acts are in the hands of the product. */
class Watch {
  readonly wrong: string[] = [];
  readonly #fleet: Fleet;
  readonly #running = new Set<string>();

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
    const { runtime } = fleet;
    runtime.onStart = (name) => {
      if (this.#running.has(name)) this.#say(`${name} is started while it runs`);
      this.#running.add(name);
    };
    runtime.onStop = (name, id) => {
      this.#running.delete(name);
      for (const member of fleet.members) if (!member.isDead) this.#mustNotUse(member, name, id);
    };
  }

  /** Guarantees 4 and 5: whoever may still send requests there has not acknowledged. */
  #mustNotUse({ name, edge }: FakeMember, replica: string, id: string): void {
    const ready = edge.service('shop').state.endpoints.filter(({ state }) => state === 'ready');
    const used = ready.some(({ port }) => port === 10_000 + Number(id.replace('run-', '')));
    if (used) this.#say(`${replica} is stopped while ${name} may send requests to it`);
  }

  /** Acts by an index that is lower than that of one before are of a leader that was. */
  order(): void {
    const { acts } = this.#fleet;
    acts.forEach(({ index, what, member }, at) => {
      const before = acts[at - 1];
      if (before !== undefined && index < before.index)
        this.#say(`${member} does ${what} under ${index}, after ${before.index}`);
    });
  }

  /** No two may act at the same moment. */
  look(acting: readonly string[]): void {
    if (acting.length > 1) this.#say(`${acting.join(' and ')} may act at once`);
  }

  #say(what: string): void {
    this.wrong.push(`at ${this.#fleet.clock.now()}: ${what}`);
  }
}

function happen(fleet: Fleet, event: Happening): void {
  const member = 'member' in event ? (fleet.members[event.member] as FakeMember) : undefined;
  if (member?.isDead) return;
  if (event.what === 'requests') {
    if (member?.isPaused === false) for (let count = 0; count < event.count; count++) member.edge.request('shop');
  } else if (event.what === 'kill') {
    // One at least lives.
    if (fleet.members.filter(({ isDead }) => !isDead).length > 1) member?.kill();
  } else if (event.what === 'pause') member?.pause();
  else if (event.what === 'cut off')
    for (const other of fleet.members) member && other !== member && fleet.cut(member, other);
  else if (event.what === 'no Consul') {
    if (member !== undefined) member.lock.isCut = true;
  } else if (event.what === 'Consul away') fleet.consul.isAway = true;
  else fleet.heal();
}

test(`${RUNS} histories of kills, pauses and partitions keep what is promised of replicas`, {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(history, async (steps) => {
      const fleet = new Fleet(MEMBERS, [testService('shop', { scale: { idleMs: IDLE_MS, max: 3 } })]);
      const watch = new Watch(fleet);
      const run = async (ms: number) => {
        for (const end = fleet.clock.now() + ms; fleet.clock.now() < end; ) {
          await fleet.run(Math.min(250, end - fleet.clock.now()), 250);
          watch.look(fleet.acting());
        }
      };
      await run(7000);
      for (const { event, thenMs } of steps) {
        happen(fleet, event);
        await run(thenMs);
      }
      fleet.heal();
      await run(35_000);
      const living = fleet.members.filter(({ isDead }) => !isDead);
      const last = living.map(({ edge }) => edge.request('shop'));
      await run(20_000);
      watch.order();
      expect({ wrong: watch.wrong, errors: fleet.errors }).toEqual({ wrong: [], errors: [] });
      expect(last.map(({ outcome }) => outcome)).toEqual(living.map(() => 'answered'));
    }),
    { numRuns: RUNS, seed: SEED },
  );
});
