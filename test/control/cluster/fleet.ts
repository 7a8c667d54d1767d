import { type Fence, fencedRuntime } from '../../../src/control/cluster/fence.ts';
import { createMember } from '../../../src/control/cluster/member.ts';
import { type OnLost, Relay, type RemoteEdges } from '../../../src/control/cluster/wire/relay.ts';
import type { RelayedEdge } from '../../../src/control/cluster/wire/relayed-edge.ts';
import type { Control } from '../../../src/control/control.ts';
import { createControl } from '../../../src/control/create-control.ts';
import type { AttachEdge, Leader, MemberStanding } from '../../../src/model/cluster.ts';
import { PilotlightError } from '../../../src/model/errors.ts';
import type { ControlMessage, EdgeMessage } from '../../../src/model/link.ts';
import type { Logger } from '../../../src/model/observe.ts';
import type { Instance, Runtime } from '../../../src/model/runtime.ts';
import type { ServiceSettings } from '../../../src/model/settings.ts';
import { type ChannelEnd, createChannel } from '../../../src/util/channel.ts';
import { type Clock, sleep, type Timer } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { FakeEdge } from '../support/fake-edge.ts';
import { FakeRuntime } from '../support/fake-runtime.ts';
import { testSettings } from '../support/settings.ts';
import { FakeMetrics } from '../support/world.ts';
import { FakeConsul, FakeLock } from './fake-lock.ts';

export const TTL_MS = 10_000;
export const LEASE_MS = 5000;
const LATENCY_MS = 2;
/** A question to Consul, or its answer, takes so long unless it is slow, ms. */
export const CONSUL_MS = 5;

/** What a fleet has to live with, and how. */
export interface FleetOptions {
  /** What is said of edges that nobody leads; undefined: as in the product. */
  bounds?: Bounds | undefined;
  /** For how many TTLs Consul keeps a session that is not renewed: 1 to 2, which is the default. */
  keepTtls?: number;
  /** How long the engine takes to list what runs, ms; what it tells is half as old. */
  listMs?: number;
}

export interface Bounds {
  /** They use replicas for so long, ms. */
  aloneMs: number;
  /** A leader keeps what they may use for so long, ms. */
  keepMs: number;
}

/** What is wrong with a machine's clocks. */
export interface Skew {
  /** What the clock that only runs forward began with, ms. */
  fromMs: number;
  /** How fast it runs; 1: as it should. */
  rate: number;
  /** By how much its time of day goes ahead, ms. */
  wallMs: number;
}

/** The clock of a process that may stand still: its time passes, and none of its timers fire until it goes on. */
class MemberClock implements Clock {
  readonly #clock: Clock;
  readonly #skew: Skew;
  #waiting: (() => void)[] | undefined;

  constructor(clock: Clock, skew: Skew) {
    this.#clock = clock;
    this.#skew = skew;
  }

  now = () => this.#skew.fromMs + this.#clock.now() * this.#skew.rate;
  wall = () => this.#clock.wall() + this.#skew.wallMs;
  after = (ms: number, fn: () => void): Timer => {
    let isOff = false;
    const timer = this.#clock.after(ms / this.#skew.rate, () => this.run(() => isOff || fn()));
    return {
      cancel: () => {
        isOff = true;
        timer.cancel();
      },
    };
  };
  every = (ms: number, fn: () => void): Timer => {
    let isOff = false;
    const timer = this.#clock.every(ms / this.#skew.rate, () => this.run(() => isOff || fn()));
    return {
      cancel: () => {
        isOff = true;
        timer.cancel();
      },
    };
  };

  /** Does it now, or when the process goes on. */
  run(fn: () => void): void {
    if (this.#waiting === undefined) fn();
    else this.#waiting.push(fn);
  }

  pause(): void {
    this.#waiting ??= [];
  }

  resume(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const fn of waiting) fn();
  }
}

/** The connection of a member to a leader, in memory: messages take their time, and are lost where it is cut. */
class Connection {
  heard = { leader: 0, follower: 0 };
  readonly #fleet: Fleet;
  readonly #follower: FakeMember;
  readonly #leader: FakeMember;
  readonly #edges = new Map<string, { above: End; below: End }>();
  readonly #timers: Timer[];
  readonly #up: (() => void)[] = [];
  readonly #down: (() => void)[] = [];
  isOver = { leader: false, follower: false };

  constructor(fleet: Fleet, follower: FakeMember, leader: FakeMember) {
    this.#fleet = fleet;
    this.#follower = follower;
    this.#leader = leader;
    const now = fleet.clock.now();
    this.heard = { leader: now, follower: now };
    this.#timers = [
      follower.clock.every(1000, () => this.pass(follower, leader, () => this.#alive('leader'))),
      leader.clock.every(1000, () => this.pass(leader, follower, () => this.#alive('follower'))),
      follower.clock.every(250, () => this.#look('follower')),
      leader.clock.every(250, () => this.#look('leader')),
    ];
  }

  /** Brings something from one side to the other, in order; where the line is cut, once it is whole again. */
  pass(from: FakeMember, to: FakeMember, fn: () => void): void {
    const queue = from === this.#leader ? this.#down : this.#up;
    queue.push(fn);
    this.#fleet.clock.after(this.#fleet.latencyMs(from, to), () => this.#flush(from, to, queue));
  }

  #flush(from: FakeMember, to: FakeMember, queue: (() => void)[]): void {
    if (to.isDead || this.#fleet.isCut(from, to)) return;
    for (const fn of queue.splice(0)) to.clock.run(fn);
  }

  open(edge: RelayedEdge, attach: AttachEdge): ChannelEnd<ControlMessage, EdgeMessage> {
    const [toEdge, fromEdge] = createChannel<ControlMessage, EdgeMessage>();
    const [toControl, fromControl] = createChannel<EdgeMessage, ControlMessage>();
    const { name } = edge;
    this.#edges.set(name, { above: fromControl, below: fromEdge });
    fromEdge.onMessage((message) => this.pass(this.#follower, this.#leader, () => fromControl.post(message)));
    fromControl.onMessage((message) => this.pass(this.#leader, this.#follower, () => fromEdge.post(message)));
    this.pass(this.#follower, this.#leader, () => {
      if (!this.isOver.leader) attach(name, toControl);
    });
    fromEdge.onClose(() => this.pass(this.#follower, this.#leader, () => fromControl.close()));
    fromControl.onClose(() => this.pass(this.#leader, this.#follower, () => fromEdge.close()));
    return toEdge;
  }

  get edges(): string[] {
    return [...this.#edges.keys()];
  }

  /** This side ends it, and the other notices where it can. */
  end(side: 'leader' | 'follower'): void {
    if (this.isOver[side]) return;
    this.isOver[side] = true;
    const [own, other] = side === 'leader' ? [this.#leader, this.#follower] : [this.#follower, this.#leader];
    if (side === 'leader') {
      for (const [name, { above }] of this.#edges) {
        own.onLost?.(name);
        above.close();
      }
      own.guests.delete(this);
    } else {
      for (const { below } of this.#edges.values()) below.close();
      own.unlinked(this);
    }
    this.pass(own, other, () => this.end(side === 'leader' ? 'follower' : 'leader'));
    if (this.isOver.leader && this.isOver.follower) for (const timer of this.#timers) timer.cancel();
  }

  /** It breaks for both sides: what is under way is lost. */
  reset(): void {
    this.#up.length = 0;
    this.#down.length = 0;
    this.#follower.clock.run(() => this.end('follower'));
    this.#leader.clock.run(() => this.end('leader'));
  }

  get member(): MemberStanding {
    const { name } = this.#follower;
    return { member: name, address: { host: name, port: 1 }, build: '1.0.0', edges: this.edges, silentMs: 0 };
  }

  #alive(side: 'leader' | 'follower'): void {
    this.heard[side] = this.#fleet.clock.now();
    if (side === 'follower') this.#follower.relay.noteContact();
  }

  #look(side: 'leader' | 'follower'): void {
    if (this.#fleet.clock.now() - this.heard[side] >= LEASE_MS) this.end(side);
  }
}

type End = ChannelEnd<unknown, never> & { post(message: unknown): void; close(): void };

/** A proxy of the fleet: the product's own member, relay and control plane, with an edge, a lock and a wire on virtual time. */
export class FakeMember implements RemoteEdges {
  readonly name: string;
  readonly clock: MemberClock;
  readonly lock: FakeLock;
  readonly relay: Relay;
  readonly control: Control;
  readonly edge: FakeEdge;
  readonly guests = new Set<Connection>();
  isDead = false;
  /** Nobody gets a connection to it. */
  isUnreachable = false;
  /** It comes to nothing whenever it is to lead. */
  cannotLead = false;
  /** Of the control plane that it began last. */
  fence: Fence | undefined;
  onLost: OnLost | undefined;
  readonly #fleet: Fleet;
  #leading: { index: number; attach: AttachEdge } | undefined;
  #target: Leader | undefined;
  #connection: Connection | undefined;
  readonly #life = new AbortController();

  constructor(fleet: Fleet, name: string, services: ServiceSettings[], skew: Skew = { fromMs: 0, rate: 1, wallMs: 0 }) {
    this.#fleet = fleet;
    this.name = name;
    this.clock = new MemberClock(fleet.clock, skew);
    this.lock = new FakeLock(fleet.consul, this.clock, name);
    const follower = { follow: (leader: Leader | undefined) => this.#follow(leader) };
    this.relay = new Relay(this.clock, name, this, follower, fleet.options.bounds?.aloneMs);
    const settings = testSettings(services);
    const logger: Logger = {
      debug() {},
      info() {},
      warn() {},
      error: (fields, message) => this.isDead || fleet.errors.push(`${name}: ${message} ${JSON.stringify(fields)}`),
    };
    const { clock } = this;
    const standing = () => Array.from(this.guests, ({ member }) => member);
    const unlinked = () =>
      this.#target === undefined || this.#connection !== undefined
        ? undefined
        : new PilotlightError('CLUSTER_LINK_FAILED', 'no link');
    this.control = createMember({
      cluster: { name: 'edge', secret: '', advertise: { host: name, port: 1 }, ttlMs: TTL_MS, leaseMs: LEASE_MS },
      self: name,
      lock: this.lock,
      wire: {
        relay: this.relay,
        calls: { serve: () => undefined, call: () => Promise.reject(new Error('not here')), stream: () => undefined },
        files: { ship: () => undefined, onFile: () => undefined },
        get members() {
          return standing();
        },
        get trouble() {
          return unlinked();
        },
        listen: (address: unknown) => Promise.resolve(address),
        close: () => this.relay.close(),
      } as never,
      table: () => ({ routes: [], services: [], trustedProxies: [], heldBytes: 0 }) as never,
      clock,
      logger,
      metrics: new FakeMetrics(),
      open: async (fence, edgesKnown) => {
        if (this.cannotLead) throw new Error('no room for a state directory');
        this.fence = fence;
        const control = createControl({
          settings,
          clock,
          logger,
          metrics: new FakeMetrics(),
          sources: [],
          instance: 'edge',
          random: () => 0,
          runtimes: [fencedRuntime(fleet.watched(this, fence.index), fence)],
          mayAct: () => fence.holds,
          edgesKnown,
        });
        control.absent.keepMs = fleet.options.bounds?.keepMs ?? control.absent.keepMs;
        return {
          control,
          release: async () => undefined,
        };
      },
    });
    const [mine, theirs] = createChannel<EdgeMessage, ControlMessage>();
    this.edge = new FakeEdge(clock, theirs, fleet.runtime);
    this.control.attach('edge-1', mine);
    void this.control.start(this.#life.signal).catch(() => undefined);
    this.clock.every(500, () => this.#connect());
  }

  /** As SIGKILL: nothing is said to anybody. */
  kill(): void {
    this.isDead = true;
    this.lock.isCut = true;
    this.clock.pause();
    this.#life.abort();
  }

  /** Its connection to the leader breaks. */
  reset(): void {
    this.#connection?.reset();
  }

  lead(index: number, attach: AttachEdge, onLost: OnLost): void {
    this.#leading = { index, attach };
    this.onLost = onLost;
  }

  resign(): void {
    this.#leading = undefined;
    for (const guest of [...this.guests]) guest.end('leader');
    this.onLost = undefined;
  }

  unlinked(connection: Connection): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.relay.unlinked();
  }

  #follow(leader: Leader | undefined): void {
    this.#target = leader;
    this.#connection?.end('follower');
    this.#connect();
  }

  #connect(): void {
    const target = this.#target;
    if (target === undefined || this.#connection !== undefined) return;
    const leader = this.#fleet.member(target.member);
    const leading = leader.#leading;
    const isThere = !leader.isDead && !leader.isUnreachable && !leader.isPaused && !this.#fleet.isCut(this, leader);
    if (!isThere || leading?.index !== target.index) return;
    const connection = new Connection(this.#fleet, this, leader);
    this.#connection = connection;
    leader.guests.add(connection);
    this.relay.linked({ open: (edge) => connection.open(edge, leading.attach) });
  }

  isPaused = false;

  pause(): void {
    this.isPaused = true;
    this.clock.pause();
  }

  resume(): void {
    if (this.isDead) return;
    this.isPaused = false;
    this.clock.resume();
  }
}

/** What was done to a replica, by whom. */
interface Act {
  at: number;
  member: string;
  index: number;
  what: string;
  /** Whether its right held when the engine was called. */
  isRight: boolean;
}

/** Several proxies, one Consul, one engine. */
export class Fleet {
  readonly clock = new VirtualClock();
  readonly consul = new FakeConsul(this.clock, TTL_MS);
  readonly runtime = new FakeRuntime(this.clock);
  readonly members: FakeMember[];
  readonly acts: Act[] = [];
  readonly errors: string[] = [];
  /** When something was done to it last, or made whole. */
  disturbedAt = 0;
  readonly #cuts = new Set<string>();
  readonly #slow = new Map<string, number>();

  readonly options: FleetOptions;

  /** @param skews of the members' clocks, one after the other */
  constructor(count: number, services: ServiceSettings[], skews: readonly Skew[] = [], options: FleetOptions = {}) {
    this.options = options;
    this.consul.keepTtls = options.keepTtls ?? this.consul.keepTtls;
    this.members = Array.from(
      { length: count },
      (_, index) => new FakeMember(this, `proxy-${index + 1}`, services, skews[index]),
    );
  }

  member(name: string): FakeMember {
    return this.members.find((member) => member.name === name) as FakeMember;
  }

  /** The engine as one leader uses it. */
  watched(member: FakeMember, index: number): Runtime {
    const { name } = member;
    const note = (what: string) => {
      const isRight = member.fence?.index === index && member.fence.holds;
      this.acts.push({ at: this.clock.now(), member: name, index, what, isRight });
    };
    const { listMs = 0 } = this.options;
    return new Proxy(this.runtime, {
      get: (target, key) => {
        const value = Reflect.get(target, key) as unknown;
        if (typeof value !== 'function') return value;
        if (key === 'list' && listMs > 0) return () => this.#list(member, listMs);
        return (...args: unknown[]) => {
          if (key === 'start') note(`start ${(args[0] as { ordinal: number }).ordinal}`);
          if (key === 'stop') note(`stop ${args[0]}`);
          return value.apply(target, args);
        };
      },
    });
  }

  async #list({ clock }: FakeMember, ms: number): Promise<Instance[]> {
    const { signal } = new AbortController();
    await sleep(clock, ms / 2, signal);
    const instances = await this.runtime.list();
    await sleep(clock, ms / 2, signal);
    return instances;
  }

  /** Who may act now. */
  acting(): string[] {
    return this.members.filter(({ fence, isDead }) => !isDead && fence?.holds).map(({ name }) => name);
  }

  cut(a: FakeMember, b: FakeMember): void {
    this.#cuts.add(`${a.name} ${b.name}`).add(`${b.name} ${a.name}`);
  }

  /** What passes between a member and the others takes so long. */
  slow({ name }: FakeMember, ms: number): void {
    this.#slow.set(name, ms);
  }

  latencyMs(a: FakeMember, b: FakeMember): number {
    return LATENCY_MS + (this.#slow.get(a.name) ?? 0) + (this.#slow.get(b.name) ?? 0);
  }

  /** Nothing is wrong with anybody who lives. */
  get isWhole(): boolean {
    const areWhole = this.members.every(
      ({ isDead, isPaused, lock }) => isDead || !(isPaused || lock.isCut || lock.latencyMs > CONSUL_MS),
    );
    return areWhole && this.#cuts.size === 0 && this.#slow.size === 0 && !this.consul.isAway;
  }

  /** Every line is whole again, and everybody who lives goes on. */
  heal(): void {
    this.#cuts.clear();
    this.#slow.clear();
    this.consul.isAway = false;
    for (const member of this.members) {
      member.lock.latencyMs = CONSUL_MS;
      if (!member.isDead) member.lock.isCut = false;
      if (member.isPaused) member.resume();
    }
  }

  isCut(a: FakeMember, b: FakeMember): boolean {
    return this.#cuts.has(`${a.name} ${b.name}`);
  }

  async run(ms: number, stepMs = 50): Promise<void> {
    const flush = async () => {
      for (let i = 0; i < 20; i++) await Promise.resolve();
    };
    await flush();
    for (const end = this.clock.now() + ms; this.clock.now() < end; ) {
      await this.clock.advanceAsync(Math.min(stepMs, end - this.clock.now()));
      await flush();
    }
  }
}
