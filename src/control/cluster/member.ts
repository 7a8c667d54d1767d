import type { AttachEdge, ClusterStanding, ClusterStatus, Leader, LeaderLock, LockState } from '../../model/cluster.ts';
import type { ClusterSettings } from '../../model/cluster-settings.ts';
import { PilotlightError, toPilotlightError } from '../../model/errors.ts';
import type { EventSink, PilotEvent } from '../../model/events.ts';
import type { KnownEndpoints } from '../../model/hand-over.ts';
import type { MemoryUse } from '../../model/host-memory.ts';
import type { Logger, Metrics } from '../../model/observe.ts';
import type { Settings } from '../../model/settings.ts';
import type { RoutingTable } from '../../model/snapshot.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import { abortedWithin, unlessAborted } from '../../util/abort.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { inTurns } from '../../util/in-turns.ts';
import type { Control } from '../control.ts';
import { AbsentEdges } from '../link/absent-edges.ts';
import { Candidacy } from './candidacy.ts';
import type { ClusterSecrets } from './cluster-secrets.ts';
import type { Fence } from './fence.ts';
import type { Leadership } from './leadership.ts';
import { OwnRecord } from './own-record.ts';
import { type AskedOfLeader, answerMember, askLeader } from './remote-api.ts';
import { RollCall } from './roll-call.ts';
import { memberList } from './standing.ts';
import { type OpenPlane, Term } from './term.ts';
import type { ClusterWire } from './wire/cluster-wire.ts';

export interface MemberOptions {
  cluster: ClusterSettings;
  /** This member's name, unique in the cluster. */
  self: string;
  lock: LeaderLock;
  wire: ClusterWire;
  /** Builds the control plane of one term, by the settings that are in force. */
  open: OpenPlane;
  /** What the leader sees to beside the control plane. */
  secrets?: Pick<ClusterSecrets, 'lead' | 'resign' | 'answer' | 'leader'>;
  /** What edges are told of the configuration. */
  table: () => RoutingTable;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
}

/** How long what waits for Consul at the end may take, ms. */
const LEAVE_MS = 2000;
/** How long the others are given what was learnt before the lock is given back, ms. */
const SHARE_MS = 1000;
/** How long it takes until somebody is told that nobody leads, ms. */
const UNLED_MS = 5000;
/** How long a member waits for the leader's word of all of them, ms. */
const STANDING_MS = 2000;

/** Makes this process one of several that act as one: its control plane is its own while it leads, else the leader's. */
export function createMember(options: MemberOptions): Control {
  return new Member(options);
}

/** `handed`: another process is this member, and this one is led until its end. */
type Phase = 'new' | 'member' | 'handed' | 'leaving' | 'ended';

class Member implements Control {
  readonly #options: MemberOptions;
  readonly #candidacy: Candidacy;
  readonly #remote: AskedOfLeader;
  readonly #life = new AbortController();
  readonly #sinks = new Set<EventSink>();
  readonly #none: AbsentEdges;
  readonly #record: OwnRecord;
  readonly #rollCall: RollCall;
  readonly #inTurn = inTurns();
  #phase: Phase = 'new';
  #term: Term | undefined;
  #leader: Leader | undefined;
  #state: LockState = { leader: undefined, session: undefined, index: 0, members: [] };
  /** The index of the leader that the edges follow; undefined: none. */
  #followed: number | undefined;
  #steppingDown: Promise<void> | undefined;
  #isGivingUp = false;
  /** Resolves when an edge of this member was told its routes. */
  readonly #led = Promise.withResolvers<void>();
  #isLed = false;

  constructor(options: MemberOptions) {
    const { lock, wire, clock, logger, cluster } = options;
    this.#options = options;
    this.#none = new AbsentEdges(clock);
    const address = cluster.advertise;
    const againMs = cluster.ttlMs / 10;
    this.#record = new OwnRecord({ lock, self: { member: options.self, address }, clock, logger, againMs });
    this.#remote = askLeader(wire.calls, this.#life.signal);
    this.#candidacy = new Candidacy({
      lock,
      clock,
      logger,
      ttlMs: cluster.ttlMs,
      onChange: (before, after) => this.#onChange(before, after),
      onSeen: (state) => this.#onSeen(state),
    });
    this.#rollCall = new RollCall({
      ...options,
      record: this.#record,
      leaseMs: cluster.leaseMs,
      ttlMs: cluster.ttlMs,
      leads: () => (this.#isGivingUp ? undefined : this.#term?.index),
      mayAct: () => this.#candidacy.right !== undefined,
      follows: () => this.#followed,
      leave: (forMs) => void this.#giveUp(forMs),
    });
    wire.calls.serve(async (method, args, emit, signal) => {
      const other = this.#term && options.secrets?.answer(method, args, emit, signal);
      if (other !== undefined) return other;
      const { control } = this;
      if (control === undefined) throw unled();
      if (method === 'standing') return this.#standing;
      if (method !== 'events') return answerMember(control, method, args);
      const end = control.subscribe(emit);
      signal.addEventListener('abort', end, { once: true });
      return null;
    });
  }

  /** That of this member, while it leads. */
  get control(): Control | undefined {
    return this.#term?.control;
  }

  readonly attach: AttachEdge = (edge, link, end) => {
    this.#options.wire.relay.attach(
      edge,
      {
        post: (message) => {
          if (message.type === 'table' && !this.#isLed) {
            this.#isLed = true;
            this.#led.resolve();
          }
          link.post(message);
        },
        onMessage: (listener) => link.onMessage(listener),
        onClose: (listener) => link.onClose(listener),
        close: () => link.close(),
      },
      end,
    );
  };

  get absent(): AbsentEdges {
    return this.control?.absent ?? this.#none;
  }

  /** Resolves when the edges of this process are led for the first time. */
  async start(signal: AbortSignal): Promise<void> {
    const { wire, cluster, clock, logger } = this.#options;
    this.#phase = 'member';
    await wire.listen(cluster.address ?? cluster.advertise);
    await this.#enter(0);
    this.#candidacy.begin();
    this.#rollCall.begin(this.#life.signal);
    // The leader's, which does not tell itself.
    wire.calls.stream('events', [], (event) => this.#pass(event as PilotEvent), this.#life.signal);
    const patience = clock.every(UNLED_MS, () => {
      if (this.#isLed) patience.cancel();
      else logger.warn({ leader: this.#leader?.member }, `not led yet: ${this.#whyUnled}`);
    });
    await unlessAborted(this.#led.promise, signal);
    patience.cancel();
  }

  get #whyUnled(): string {
    const { wire, self } = this.#options;
    if (this.#leader?.member === self) {
      return `${self} leads already: the process before this one, for twice the ttl at most, or another member of that name`;
    }
    return this.#candidacy.trouble ?? wire.trouble?.message ?? 'nobody leads the cluster yet';
  }

  table(): RoutingTable {
    return this.#options.table();
  }

  reconfigure(settings: Settings): void {
    this.control?.reconfigure(settings);
  }

  renewRegistrations(): void {
    this.control?.renewRegistrations();
  }

  threshold(service: string): LatencyThreshold | null {
    return this.control?.threshold(service) ?? null;
  }

  /** The process before was another member, which leads no more: nothing is left to take over. */
  takeOver(): void {}

  async letGo(_wake: (service: string) => void, signal: AbortSignal): Promise<void> {
    await this.#stepDown(signal);
    this.#phase = 'handed';
    await this.#options.wire.unlisten();
    this.#followLeader();
  }

  resume(): void {
    if (this.#phase !== 'handed') return;
    const { wire, cluster, logger } = this.#options;
    this.#phase = 'member';
    this.#candidacy.begin();
    wire.listen(cluster.address ?? cluster.advertise).catch((error: unknown) => {
      logger.error({ code: toPilotlightError(error).code }, `other members cannot reach this one: ${error}`);
    });
  }

  knownEndpoints(): KnownEndpoints {
    return this.control?.knownEndpoints() ?? { endpoints: [], byHand: [] };
  }

  async settled(signal: AbortSignal): Promise<void> {
    await unlessAborted(this.#led.promise, signal);
  }

  /** Another one leads from here on, if there is one: what is held here may still be woken. */
  beginDrain(): void {
    if (this.#phase !== 'member') return;
    this.#phase = 'leaving';
    const others = this.#options.wire.members.length > 0 || this.#term === undefined;
    if (others) void this.#stepDown(AbortSignal.timeout(LEAVE_MS));
    else this.control?.beginDrain();
  }

  async shutdown(signal: AbortSignal): Promise<void> {
    if (this.#phase === 'ended') return;
    const isLast = this.#phase !== 'handed';
    this.#phase = 'ended';
    const { wire, logger } = this.#options;
    await this.#stepDown(signal);
    await wire.close();
    const limit = abortedWithin(LEAVE_MS, signal);
    const left = isLast ? this.#record.leave(limit) : Promise.resolve();
    await left.catch((error: unknown) => {
      const { code, message } = toPilotlightError(error);
      logger.warn({ code }, `the record of this member stays for a while: ${message}`);
    });
    this.#candidacy.close();
    this.#record.close();
    this.#life.abort();
  }

  services: Control['services'] = () => this.#asked.services();
  service: Control['service'] = (name) => this.#asked.service(name);
  endpoints: Control['endpoints'] = (name) => this.#asked.endpoints(name);
  changeEndpoint: Control['changeEndpoint'] = (...args) => this.#asked.changeEndpoint(...args);
  output: Control['output'] = (...args) => this.#asked.output(...args);
  why: Control['why'] = (name) => this.#asked.why(name);
  starts: Control['starts'] = (name) => this.#asked.starts(name);
  costs: Control['costs'] = (since) => this.#asked.costs(since);
  sources: Control['sources'] = () => this.#asked.sources();
  wake: Control['wake'] = (name) => this.#asked.wake(name);
  sleep: Control['sleep'] = (name) => this.#asked.sleep(name);
  scale: Control['scale'] = (...args) => this.#asked.scale(...args);
  freeze: Control['freeze'] = (...args) => this.#asked.freeze(...args);
  unfreeze: Control['unfreeze'] = (...args) => this.#asked.unfreeze(...args);

  /** Tells what it knows by itself where the leader does not answer. */
  async cluster(): Promise<ClusterStatus> {
    const { cluster, self, wire, secrets } = this.#options;
    const { leader } = this.#state;
    const isLed = this.#term === undefined && leader !== undefined;
    const limit = abortedWithin(STANDING_MS, this.#life.signal);
    const asked = isLed ? wire.calls.call('standing', [], limit).catch(() => undefined) : undefined;
    const told = (await asked) as ClusterStanding | undefined;
    return {
      name: cluster.name,
      self,
      leader: leader === undefined ? null : { member: leader.member, index: leader.index },
      // One that cannot see to it has not said that it does.
      orders: leader !== undefined && secrets?.leader === leader.member ? leader.member : null,
      trouble: this.#candidacy.trouble ?? wire.trouble?.message ?? null,
      ...(told ?? this.#standing),
    };
  }

  get #standing(): ClusterStanding {
    const { self, wire } = this.#options;
    const own = { member: self, silentMs: 0, edges: wire.relay.edges, build: wire.build };
    return {
      members: memberList(this.#state.members, this.#term === undefined ? [] : [own, ...wire.members]),
      isSettling: this.#term?.isSettling ?? false,
      absent: this.control?.absent.names ?? [],
    };
  }

  memory(): MemoryUse | null {
    return this.control?.memory() ?? null;
  }

  async collect(): Promise<void> {
    const { metrics, wire, cluster } = this.#options;
    await this.control?.collect();
    const labels = { cluster: cluster.name };
    metrics.gauge('pilotlight_cluster_leader', labels, this.#candidacy.right === undefined ? 0 : 1);
    metrics.gauge('pilotlight_cluster_members', labels, this.#term === undefined ? 0 : wire.members.length + 1);
  }

  ready(): boolean {
    return this.#phase === 'member' && this.#isLed && (this.control?.ready() ?? true);
  }

  awaited(): string | undefined {
    return this.#isLed ? this.control?.awaited?.() : 'a leader of the cluster';
  }

  subscribe(sink: EventSink): () => void {
    this.#sinks.add(sink);
    return () => this.#sinks.delete(sink);
  }

  get #asked(): AskedOfLeader {
    return this.control ?? this.#remote;
  }

  #pass(event: PilotEvent): void {
    for (const sink of this.#sinks) sink(event);
  }

  #tell(message: string, data: PilotEvent['data']): void {
    const at = new Date(this.#options.clock.wall()).toISOString();
    this.#pass({ at, type: 'led', service: null, message, data });
  }

  // Who leads

  #onChange(before: Leadership, after: Leadership): void {
    const { logger } = this.#options;
    if (before.state === 'leading' && after.state === 'suspended') {
      logger.warn(
        { index: before.index },
        'the right to lead was not renewed in time: this proxy acts on nothing until it is',
      );
    }
    const led = before.state === 'leading' || before.state === 'suspended' ? before.index : undefined;
    const leads = after.state === 'leading' || after.state === 'suspended' ? after.index : undefined;
    if (led === leads) return;
    // It may be trying to enter itself under that index, for which the end of the term does not wait.
    if (led !== undefined) this.#record.giveUp(led);
    void this.#inTurn(async () => {
      if (led !== undefined) await this.#endTerm(led);
      if (leads !== undefined) await this.#beginTerm(leads);
    }).catch((error: unknown) => logger.error({ err: error }, 'the change of the leader failed'));
  }

  #onSeen(state: LockState): void {
    this.#state = state;
    this.#leader = state.leader;
    this.#followLeader();
    if (this.#phase === 'member') this.#record.seen(state);
    this.#rollCall.seen(state);
  }

  /** Has the edges follow whoever leads, unless that is this member. */
  #followLeader(): void {
    if (this.#term !== undefined) return;
    const { relay } = this.#options.wire;
    const isOwn = this.#leader?.member === this.#options.self && this.#phase !== 'handed';
    const leader = isOwn ? undefined : this.#leader;
    if (leader?.index !== this.#followed) relay.follow(leader);
    this.#followed = leader?.index;
    if (leader !== undefined) void this.#enter(leader.index);
  }

  async #beginTerm(index: number): Promise<void> {
    const { wire, clock, logger, cluster, self, open } = this.#options;
    const { leadership } = this.#candidacy;
    const isStill = (leadership.state === 'leading' || leadership.state === 'suspended') && leadership.index === index;
    if (!isStill) return;
    const candidacy = this.#candidacy;
    const fence: Fence = {
      index,
      get holds() {
        return candidacy.right === index;
      },
    };
    const known = this.#state.members;
    const term = new Term({ fence, wire, clock, logger, leaseMs: cluster.leaseMs, self, known });
    this.#term = term;
    this.#rollCall.anew();
    this.#tell(`this proxy leads the cluster ${cluster.name}`, { index, leader: self });
    logger.info({ index }, `leads the cluster ${cluster.name}`);
    this.#options.secrets?.lead(fence);
    await this.#enter(index);
    // In turn with nothing: a term that hangs must not keep its end from coming.
    void term.begin(open).catch((error: unknown) => {
      if (term.hasEnded) return;
      logger.error({ err: error }, 'the control plane of this leader failed: another one may lead');
      void this.#giveUp();
    });
  }

  async #endTerm(index: number): Promise<void> {
    const term = this.#term;
    if (term?.index !== index) return;
    this.#term = undefined;
    this.#options.secrets?.resign();
    this.#options.wire.relay.follow(undefined);
    this.#followed = undefined;
    this.#options.logger.warn({ index }, 'this proxy leads no more');
    await term.end();
    this.#followLeader();
  }

  /** Leads no more for a while: it cannot. */
  async #giveUp(forMs = 2 * this.#options.cluster.ttlMs): Promise<void> {
    this.#isGivingUp = true;
    await this.#candidacy.resign(AbortSignal.timeout(LEAVE_MS));
    await sleep(this.#options.clock, forMs, this.#life.signal).catch(() => undefined);
    this.#isGivingUp = false;
    if (this.#phase === 'member') this.#candidacy.begin();
  }

  /** @param signal limits the wait for what is being started or stopped; the lock is given back in any case */
  #stepDown(signal: AbortSignal): Promise<void> {
    this.#steppingDown ??= this.#handBack(signal).finally(() => {
      this.#steppingDown = undefined;
    });
    return this.#steppingDown;
  }

  async #handBack(signal: AbortSignal): Promise<void> {
    const { index } = this.#term ?? {};
    await this.#settleActs(signal);
    if (this.#term !== undefined) {
      await unlessAborted(this.#term.share(), AbortSignal.timeout(SHARE_MS)).catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, 'the other members may lack what was learnt in the last minute');
      });
    }
    await this.#candidacy.resign(AbortSignal.timeout(LEAVE_MS));
    if (index !== undefined) await this.#inTurn(() => this.#endTerm(index));
  }

  /** Lets what is being started or stopped come to its end. */
  async #settleActs(signal: AbortSignal): Promise<void> {
    await this.control?.letGo(() => undefined, abortedWithin(LEAVE_MS, signal)).catch(() => undefined);
  }

  async #enter(index: number): Promise<void> {
    if (this.#phase !== 'ended' && this.#phase !== 'handed') await this.#record.enter(index);
  }
}

function unled(): PilotlightError {
  return new PilotlightError('CLUSTER_UNLED', 'this proxy does not lead the cluster');
}
