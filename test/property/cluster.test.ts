import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ServiceState } from '../../src/model/snapshot.ts';
import { type Bounds, CONSUL_MS, type FakeMember, Fleet } from '../control/cluster/fleet.ts';
import { testService } from '../control/support/settings.ts';

const IDLE_MS = 20_000;
/** What an idle time may be short of by reports, lines and clocks that run too fast, ms. */
const IDLE_SLACK_MS = 3000;
/** Longer than a lease: everybody knows again how things are. */
const SETTLED_MS = 15_000;
const MEMBERS = 3;
const MAX = 3;
const SEED = Number(process.env['CLUSTER_SEED'] ?? 0x1ead);
const RUNS = Number(process.env['CLUSTER_HISTORIES'] ?? 100);

const member = fc.nat(MEMBERS - 1);
const to = <What extends string>(what: What) => fc.record({ what: fc.constant(what), member });

/** What happens to a fleet, one after the other. */
const happening = fc.oneof(
  {
    weight: 7,
    arbitrary: fc.record({
      what: fc.constant('requests' as const),
      member,
      count: fc.integer({ min: 1, max: 5 }),
      bodyMs: fc.constantFrom(0, 0, 300, 8000, 25_000),
    }),
  },
  { weight: 1, arbitrary: to('kill') },
  { weight: 2, arbitrary: to('pause') },
  { weight: 2, arbitrary: to('cut off') },
  { weight: 1, arbitrary: to('cut from the next') },
  { weight: 1, arbitrary: to('reset') },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('slow' as const), member, ms: fc.integer({ min: 50, max: 3000 }) }),
  },
  { weight: 2, arbitrary: to('no Consul') },
  {
    weight: 1,
    arbitrary: fc.record({ what: fc.constant('slow Consul' as const), member, ms: fc.integer({ min: 50, max: 3000 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('Consul away' as const) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('session lost' as const) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('heal' as const) }) },
);
/** What an operator asks of the leader. */
const byHand = fc.oneof(
  fc.record({ what: fc.constant('sleep' as const) }),
  fc.record({ what: fc.constant('scale' as const), replicas: fc.integer({ min: 1, max: MAX }) }),
);
const thenMs = fc.oneof(fc.integer({ min: 10, max: 500 }), fc.integer({ min: 1000, max: 30_000 }));
const steps = <T>(event: fc.Arbitrary<T>) => fc.array(fc.record({ event, thenMs }), { minLength: 3, maxLength: 14 });
/** Half of them without a word of an operator: more is promised there. */
const history = fc.oneof(
  steps(happening),
  steps(fc.oneof({ weight: 4, arbitrary: happening }, { weight: 1, arbitrary: byHand })),
);
const skew = fc.record({
  fromMs: fc.nat(1_000_000),
  rate: fc.constantFrom(0.99, 1, 1, 1.01),
  wallMs: fc.constantFrom(-300_000, 0, 0, 300_000),
});

const options = fc.record({
  // Half of the histories have bounds that are reached in them: the product's are 9 and 10 minutes.
  bounds: fc.constantFrom<(Bounds | undefined)[]>(undefined, { aloneMs: 12_000, keepMs: 22_000 }),
  keepTtls: fc.constantFrom(1, 2),
  listMs: fc.constantFrom(0, 0, 1000),
});

type Valued<T> = T extends fc.Arbitrary<infer Value> ? Value : never;
type Happening = Valued<typeof happening> | Valued<typeof byHand>;

/** Looks at every act as it comes. What is wrong is thrown at the end, as acts are in the hands of the product. */
class Watch {
  readonly wrong: string[] = [];
  readonly #fleet: Fleet;
  readonly #isByHand: boolean;
  /** Somebody asked it to sleep, which does not wait for edges that are out of sight. */
  readonly #isSentToSleep: boolean;
  readonly #running = new Set<string>();

  /** @param asked what operators will ask: replicas are started and stopped for other reasons than requests then */
  constructor(fleet: Fleet, asked: readonly string[]) {
    const isByHand = asked.length > 0;
    this.#fleet = fleet;
    this.#isByHand = isByHand;
    this.#isSentToSleep = asked.includes('sleep');
    const { runtime } = fleet;
    runtime.onStart = (name) => {
      if (this.#running.has(name)) this.#say(`${name} is started while it runs`);
      if (this.#running.size > 0 && !isByHand) this.#say(`${name} is started beside ${[...this.#running]}`);
      this.#running.add(name);
      if (this.#running.size > MAX) this.#say(`${[...this.#running]} run, more than ${MAX}`);
    };
    // One that was called off is none.
    runtime.onStarted = (name) => {
      if (!runtime.running.includes(name)) this.#running.delete(name);
    };
    runtime.onStop = (name, id) => {
      this.#running.delete(name);
      for (const each of fleet.members) {
        if (each.isDead) continue;
        this.#mustNotUse(each, name, id);
        this.#mustBeIdle(each, name);
      }
    };
    for (const { name, edge } of fleet.members) {
      // What it has not used for long may have been given up without its word.
      edge.onTold = (state, before, wasCutOff) => wasCutOff || this.#mustNotLose(name, state, before);
    }
  }

  /** Whoever may still send requests there has not acknowledged. */
  #mustNotUse({ name, edge }: FakeMember, replica: string, id: string): void {
    if (edge.isCutOff || (this.#isSentToSleep && !this.#isSettled)) return;
    const ready = edge.service('shop').state.endpoints.filter(({ state }) => state === 'ready');
    const used = ready.some(({ port }) => port === portOf(id));
    if (used) this.#say(`${replica} is stopped while ${name} may send requests to it`);
    const own = [...edge.service('shop').inFlight].some(({ endpoint }) => endpoint === id);
    if (own && !this.#isByHand) this.#say(`${replica} is stopped while ${name} has requests there`);
  }

  /** Where everybody can be asked: the last activity of all of them counts. */
  #mustBeIdle({ name, edge, clock }: FakeMember, replica: string): void {
    if (this.#isByHand || !this.#isSettled) return;
    const { inFlight, held, lastActivity } = edge.service('shop');
    const idleMs = inFlight.size + held.length > 0 ? 0 : clock.now() - lastActivity;
    if (idleMs < IDLE_MS - IDLE_SLACK_MS) this.#say(`${replica} is stopped, ${idleMs} ms after ${name} had a request`);
  }

  get #isSettled(): boolean {
    const { isWhole, disturbedAt, clock } = this.#fleet;
    return isWhole && clock.now() - disturbedAt >= SETTLED_MS;
  }

  /** Who leads may change, but no edge loses what runs and was not taken from it by a cordon. */
  #mustNotLose(name: string, state: ServiceState, before: ServiceState): void {
    if (this.#isSentToSleep && !this.#isSettled) return;
    const still = new Set(state.endpoints.map(({ port }) => port));
    for (const endpoint of before.endpoints) {
      if (endpoint.state !== 'ready' || still.has(endpoint.port)) continue;
      if (this.#fleet.runtime.answers(endpoint.port)) this.#say(`${name} loses ${endpoint.id}, which runs`);
    }
  }

  /** Acts by an index that is lower than that of one before are of a leader that was, and so are those without the right. */
  order(): void {
    const { acts } = this.#fleet;
    acts.forEach(({ index, what, member, isRight }, at) => {
      if (!isRight) this.#say(`${member} does ${what} under ${index}, and has no right to`);
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

const portOf = (id: string): number => 10_000 + Number(id.replace('run-', ''));

/** What a client of the fleet has sent. */
type Sent = { by: FakeMember; request: ReturnType<FakeMember['edge']['request']> }[];

function happen(fleet: Fleet, event: Happening, sent: Sent): void {
  fleet.disturbedAt = event.what === 'requests' ? fleet.disturbedAt : fleet.clock.now();
  if (event.what === 'sleep' || event.what === 'scale') {
    const [leader] = fleet.acting();
    const control = leader === undefined ? undefined : fleet.member(leader).control;
    const done = event.what === 'sleep' ? control?.sleep('shop') : control?.scale('shop', event.replicas, false);
    // Its control plane may not be there yet.
    done?.catch(() => undefined);
    return;
  }
  const member = 'member' in event ? (fleet.members[event.member] as FakeMember) : undefined;
  if (member?.isDead) return;
  if (event.what === 'heal') fleet.heal();
  else if (event.what === 'Consul away') fleet.consul.isAway = true;
  else if (event.what === 'session lost') loseSession(fleet);
  else if (member !== undefined) strike(fleet, event, member, sent);
}

/** Somebody takes the leader's session away. One that does not hear of it acts on for half the TTL: that is not promised. */
function loseSession({ consul, members }: Fleet): void {
  const leader = members.find(({ name }) => name === consul.state.leader?.member);
  const hears = leader !== undefined && !(consul.isAway || leader.isDead || leader.isPaused || leader.lock.isCut);
  // What happens next may keep it from hearing.
  const hearsInTime = hears && leader.lock.latencyMs <= CONSUL_MS;
  if (hearsInTime && consul.holder !== undefined) consul.end(consul.holder, 1000);
}

function strike(fleet: Fleet, event: Happening, member: FakeMember, sent: Sent): void {
  if (event.what === 'requests') {
    if (member.isPaused) return;
    const { count, bodyMs } = event;
    for (let n = 0; n < count; n++) sent.push({ by: member, request: member.edge.request('shop', { bodyMs }) });
  } else if (event.what === 'kill') {
    // One at least lives.
    if (fleet.members.filter(({ isDead }) => !isDead).length > 1) member.kill();
  } else if (event.what === 'pause') member.pause();
  else if (event.what === 'cut off') for (const other of fleet.members) other !== member && fleet.cut(member, other);
  else if (event.what === 'cut from the next') {
    fleet.cut(member, fleet.members[(fleet.members.indexOf(member) + 1) % MEMBERS] as FakeMember);
  } else if (event.what === 'reset') member.reset();
  else if (event.what === 'slow') fleet.slow(member, event.ms);
  else if (event.what === 'slow Consul') member.lock.latencyMs = event.ms;
  else member.lock.isCut = true;
}

test(`${RUNS} histories of kills, pauses and partitions keep what is promised of replicas`, {
  timeout: 600_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(history, fc.tuple(skew, skew, skew), options, async (steps, skews, options) => {
      const asked = steps.map(({ event }) => event.what).filter((what) => what === 'sleep' || what === 'scale');
      const fleet = new Fleet(MEMBERS, [testService('shop', { scale: { idleMs: IDLE_MS, max: MAX } })], skews, options);
      const watch = new Watch(fleet, asked);
      const sent: Sent = [];
      const run = async (ms: number) => {
        for (const end = fleet.clock.now() + ms; fleet.clock.now() < end; ) {
          await fleet.run(Math.min(250, end - fleet.clock.now()), 250);
          watch.look(fleet.acting());
        }
      };
      await run(7000);
      for (const { event, thenMs } of steps) {
        happen(fleet, event, sent);
        await run(thenMs);
      }
      happen(fleet, { what: 'heal' }, sent);
      await run(35_000);
      const living = fleet.members.filter(({ isDead }) => !isDead);
      const last = living.map(({ edge }) => edge.request('shop'));
      await run(15_000);
      watch.order();
      // Nobody waits for ever, and nobody's answer is broken off.
      const kept = sent.filter(({ by }) => !by.isDead).map(({ request: { outcome } }) => outcome);
      const bad = kept.filter((outcome) => outcome === undefined || (outcome === 'reset' && asked.length === 0));
      // What runs is what the leader knows.
      const leader = fleet.member(fleet.acting()[0] ?? '');
      const running = [...fleet.runtime.running].sort();
      const told = leader.control.service('shop');
      await run(2000);
      const { replicas } = await told;
      const known = replicas.filter(({ address }) => address !== null).map(({ id }) => id);
      expect({ wrong: watch.wrong, errors: fleet.errors, bad }).toEqual({ wrong: [], errors: [], bad: [] });
      expect(last.map(({ outcome }) => outcome)).toEqual(living.map(() => 'answered'));
      expect(known.sort()).toEqual(running);
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: process.env['CLUSTER_QUICK'] !== undefined },
  );
});
