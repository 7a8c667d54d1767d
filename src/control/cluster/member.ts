import type { AttachEdge, ClusterStanding, ClusterStatus } from '../../model/cluster.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { EventSink, PilotEvent } from '../../model/events.ts';
import type { KnownEndpoints } from '../../model/hand-over.ts';
import type { MemoryUse } from '../../model/host-memory.ts';
import type { Settings } from '../../model/settings.ts';
import type { RoutingTable } from '../../model/snapshot.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import { abortedWithin, unlessAborted } from '../../util/abort.ts';
import type { Control } from '../control.ts';
import { AbsentEdges } from '../link/absent-edges.ts';
import type { MemberOptions } from './member-options.ts';
import { type AskedOfLeader, answerMember, askLeader } from './remote-api.ts';
import { Role } from './role.ts';
import { memberList } from './standing.ts';

/** How long it takes until somebody is told that nobody leads, ms. */
const UNLED_MS = 5000;
/** How long a member waits for the leader's word of all of them, ms. */
const STANDING_MS = 2000;

/** Makes this process one of several that act as one: its control plane is its own while it leads, else the leader's. */
export function createMember(options: MemberOptions): Control {
  return new Member(options);
}

class Member implements Control {
  readonly #options: MemberOptions;
  readonly #role: Role;
  readonly #remote: AskedOfLeader;
  readonly #life = new AbortController();
  readonly #sinks = new Set<EventSink>();
  readonly #none: AbsentEdges;
  /** Resolves when an edge of this member was told its routes. */
  readonly #led = Promise.withResolvers<void>();
  #isLed = false;

  constructor(options: MemberOptions) {
    const { wire, clock } = options;
    this.#options = options;
    this.#none = new AbsentEdges(clock);
    this.#remote = askLeader(wire.calls, this.#life.signal);
    const tell = (message: string, data: PilotEvent['data']) => this.#tell(message, data);
    this.#role = new Role({ ...options, life: this.#life.signal, tell });
    wire.calls.serve(async (method, args, emit, signal) => {
      const other = this.#role.term && options.secrets?.answer(method, args, emit, signal);
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
    return this.#role.control;
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
    const { wire, clock, logger } = this.#options;
    await this.#role.begin();
    // The leader's, which does not tell itself.
    wire.calls.stream('events', [], (event) => this.#pass(event as PilotEvent), this.#life.signal);
    const patience = clock.every(UNLED_MS, () => {
      if (this.#isLed) patience.cancel();
      else logger.warn({ leader: this.#role.state.leader?.member }, `not led yet: ${this.#whyUnled}`);
    });
    await unlessAborted(this.#led.promise, signal);
    patience.cancel();
  }

  get #whyUnled(): string {
    const { wire, self } = this.#options;
    if (this.#role.state.leader?.member === self) {
      return `${self} leads already: the process before this one, for twice the ttl at most, or another member of that name`;
    }
    return this.#role.trouble ?? wire.trouble?.message ?? 'nobody leads the cluster yet';
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
    await this.#role.letGo(signal);
  }

  resume(): void {
    this.#role.resume();
  }

  knownEndpoints(): KnownEndpoints {
    return this.control?.knownEndpoints() ?? { endpoints: [], byHand: [] };
  }

  async settled(signal: AbortSignal): Promise<void> {
    await unlessAborted(this.#led.promise, signal);
  }

  beginDrain(): void {
    this.#role.beginDrain();
  }

  async shutdown(signal: AbortSignal): Promise<void> {
    if (await this.#role.end(signal)) this.#life.abort();
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
    const { leader } = this.#role.state;
    const isLed = this.#role.term === undefined && leader !== undefined;
    const limit = abortedWithin(STANDING_MS, this.#life.signal);
    const asked = isLed ? wire.calls.call('standing', [], limit).catch(() => undefined) : undefined;
    const told = (await asked) as ClusterStanding | undefined;
    return {
      name: cluster.name,
      self,
      leader: leader === undefined ? null : { member: leader.member, index: leader.index },
      // One that cannot see to it has not said that it does.
      orders: leader !== undefined && secrets?.leader === leader.member ? leader.member : null,
      trouble: this.#role.trouble ?? wire.trouble?.message ?? null,
      ...(told ?? this.#standing),
    };
  }

  get #standing(): ClusterStanding {
    const { self, wire } = this.#options;
    const { state, term } = this.#role;
    const own = { member: self, silentMs: 0, edges: wire.relay.edges, build: wire.build };
    return {
      members: memberList(state.members, term === undefined ? [] : [own, ...wire.members]),
      isSettling: term?.isSettling ?? false,
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
    metrics.gauge('pilotlight_cluster_leader', labels, this.#role.mayAct ? 1 : 0);
    metrics.gauge('pilotlight_cluster_members', labels, this.#role.term === undefined ? 0 : wire.members.length + 1);
  }

  ready(): boolean {
    return this.#role.isMember && this.#isLed && (this.control?.ready() ?? true);
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
}

function unled(): PilotlightError {
  return new PilotlightError('CLUSTER_UNLED', 'this proxy does not lead the cluster');
}
