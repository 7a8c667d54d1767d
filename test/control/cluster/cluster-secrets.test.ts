import { expect, test } from 'vitest';
import { ClusterSecrets } from '../../../src/control/cluster/cluster-secrets.ts';
import type { LeaderCalls } from '../../../src/model/cluster.ts';
import { type Logger, silentLogger } from '../../../src/model/observe.ts';
import type { SharedProof } from '../../../src/model/shared-secrets.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeValues } from './fake-values.ts';

const SECRET = 'a-secret-of-many-characters';
const PROOF: SharedProof = { host: 'shop.test', challenge: 'http-01', token: 't', keyAuthorization: 't.k' };

/** Members that hear of whoever leads, as over their wire. */
class World {
  readonly clock = new VirtualClock();
  readonly values = new FakeValues();
  readonly lines: string[] = [];
  #index = 10;
  #leader: Member | undefined;
  readonly #members: Member[] = [];

  member(secret = SECRET): Member {
    const member = new Member(this, `member-${this.#members.length + 1}`, secret);
    this.#members.push(member);
    return member;
  }

  get leader(): Member | undefined {
    return this.#leader;
  }

  /** Another one leads, or nobody does. */
  async lead(member: Member | undefined): Promise<void> {
    this.#leader?.secrets.resign();
    this.#leader = member;
    for (const each of this.#members) each.disconnect();
    this.values.index = ++this.#index;
    member?.secrets.lead({ index: this.#index, holds: true });
    for (const each of this.#members) each.connect();
    await this.settle();
  }

  async settle(ms = 1): Promise<void> {
    await this.clock.advanceAsync(ms);
    for (let i = 0; i < 20; i++) await Promise.resolve();
  }
}

class Member {
  readonly secrets: ClusterSecrets;
  readonly changed: string[] = [];
  proofs: readonly SharedProof[] = [];
  /** It shows no proof. */
  isSlow = false;
  readonly #world: World;
  readonly #streams: { args: unknown[]; take: (item: unknown) => void }[] = [];
  #line = new AbortController();

  constructor(world: World, name: string, secret: string) {
    this.#world = world;
    const calls: LeaderCalls = {
      serve: () => undefined,
      call: async (method, args) => this.#ask(method, args, () => undefined),
      stream: (method, args, take) => {
        expect(method).toBe('secrets');
        this.#streams.push({ args, take });
      },
    };
    const say = (level: string) => (_fields: unknown, message?: string) =>
      void world.lines.push(`${level}: ${message}`);
    const logger = { ...silentLogger, warn: say('warn'), error: say('error') } as Logger;
    const { clock, values } = world;
    this.secrets = new ClusterSecrets({ cluster: 'edge', secret, self: name, values, calls, clock, logger });
    this.secrets.follow({
      onValues: (names) => void this.changed.push(...names),
      onProofs: async (proofs) => {
        if (this.isSlow) throw new Error('not now');
        this.proofs = proofs;
      },
    });
  }

  connect(): void {
    this.#line = new AbortController();
    for (const { args, take } of this.#streams) void this.#ask('secrets', args, take);
  }

  disconnect(): void {
    this.#line.abort();
  }

  /** As over a wire: a copy arrives, later. */
  async #ask(method: string, args: unknown[], take: (item: unknown) => void): Promise<unknown> {
    const { leader } = this.#world;
    const { signal } = this.#line;
    const emit = (item: unknown) => {
      const copy = structuredClone(item);
      void Promise.resolve().then(() => signal.aborted || take(copy));
    };
    return leader?.secrets.answer(method, structuredClone(args), emit, signal);
  }
}

test('what the leader keeps all members have at once, also who comes later, and the next leader', async () => {
  const world = new World();
  const [one, two] = [world.member(), world.member()];
  await world.lead(one);
  await one.secrets.set('acme/a.pem', 'first');
  await world.settle();
  expect(two.secrets.get('acme/a.pem')).toBe('first');
  expect([one, two].map(({ secrets }) => [secrets.leads, secrets.leader])).toEqual([
    [true, 'member-1'],
    [false, 'member-1'],
  ]);
  const three = world.member();
  three.connect();
  await world.settle();
  expect(three.changed).toEqual(['acme/a.pem']);
  // A process that knows nothing reads it where it is kept.
  const four = world.member();
  await world.lead(four);
  expect(four.secrets.get('acme/a.pem')).toBe('first');
  await four.secrets.set('acme/a.pem', undefined);
  await world.settle();
  expect([one, two, three].map(({ secrets }) => secrets.names)).toEqual([[], [], []]);
  expect(world.values.kept.size).toBe(0);
  // What a member has already it is not told again.
  expect(three.changed).toEqual(['acme/a.pem', 'acme/a.pem']);
  expect(world.lines).toEqual([]);
});

test('only who leads may change anything, and no leader that was does', async () => {
  const world = new World();
  const [one, two] = [world.member(), world.member()];
  await world.lead(one);
  await expect(two.secrets.set('x', '1')).rejects.toMatchObject({ code: 'CLUSTER_RIGHT_LOST' });
  // Another one has the lock, and this one does not know yet.
  world.values.index = 99;
  await expect(one.secrets.set('x', '1')).rejects.toMatchObject({ code: 'CLUSTER_RIGHT_LOST' });
  expect(world.values.kept.size).toBe(0);
  await world.settle();
  expect(two.secrets.get('x')).toBeUndefined();
});

test('what Consul does not take is kept when it answers again, and so is what it has lost', async () => {
  const world = new World();
  const [one, two] = [world.member(), world.member()];
  await world.lead(one);
  await one.secrets.set('a', '1');
  world.values.isAway = true;
  await expect(one.secrets.set('b', '2')).rejects.toMatchObject({ code: 'DISCOVERY_UNREACHABLE' });
  expect(one.secrets.get('b')).toBe('2');
  await world.settle(10_000);
  expect(world.lines).toEqual(['warn: Consul does not answer; it is tried again']);
  world.values.isAway = false;
  world.values.kept.clear();
  await world.settle(10_000);
  expect(two.secrets.get('b')).toBe('2');
  await world.lead(two);
  await world.settle(10_000);
  expect([...world.values.kept.keys()].sort()).toEqual(['a', 'b']);
});

test('who cannot open what is kept says so once, and uses, changes and shares nothing until it can', async () => {
  const world = new World();
  const one = world.member();
  await world.lead(one);
  await one.secrets.set('a', '1');
  const kept = new Map(world.values.kept);
  const [stranger, friend] = [world.member('another-secret-of-many'), world.member('another-secret-of-many')];
  await world.lead(stranger);
  await world.settle(60_000);
  expect(world.lines).toHaveLength(1);
  expect(world.lines[0]).toContain(
    'error: what the cluster shares cannot be opened: it was sealed with another secret',
  );
  expect(stranger.secrets.get('a')).toBeUndefined();
  expect([stranger.secrets.mayAct, stranger.secrets.leader]).toEqual([false, undefined]);
  await expect(stranger.secrets.set('a', '2')).rejects.toMatchObject({ code: 'CLUSTER_RIGHT_LOST' });
  expect(world.values.kept).toEqual(kept);
  // An operator who meant it removes what was there.
  world.values.kept.clear();
  await world.settle(60_000);
  await stranger.secrets.set('a', '2');
  await world.settle();
  expect(friend.secrets.get('a')).toBe('2');
});

test('an authority is told to ask when all members that are here answer, or have had their time', async () => {
  const world = new World();
  const [one, two, three] = [world.member(), world.member(), world.member()];
  await world.lead(one);
  let isShown = false;
  await one.secrets.show([PROOF]);
  expect([two.proofs, three.proofs]).toEqual([[PROOF], [PROOF]]);
  await one.secrets.show([]);
  await world.settle();
  expect([two.proofs, three.proofs]).toEqual([[], []]);
  three.isSlow = true;
  const shown = one.secrets.show([PROOF]).then(() => {
    isShown = true;
  });
  await world.settle(4000);
  expect([isShown, two.proofs]).toEqual([false, [PROOF]]);
  await world.settle(1001);
  await shown;
  expect(world.lines).toHaveLength(1);
  // Nobody waits for one that is gone.
  const again = one.secrets.show([PROOF]);
  three.disconnect();
  await again;
  // The next leader has its own proofs to show.
  await world.lead(two);
  expect(one.proofs).toEqual([]);
});
