import type { ControlMessage, EdgeMessage, EdgeReport, ProbeRequest } from '../../model/link.ts';
import type { Logger } from '../../model/observe.ts';
import type { RoutingTable, ServicePolicy, ServiceState } from '../../model/snapshot.ts';
import type { ChannelEnd } from '../../util/channel.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { guarded } from '../context.ts';
import { AbsentEdges } from './absent-edges.ts';
import { SlotBroker } from './slot-broker.ts';

type Message<Type extends EdgeMessage['type']> = Extract<EdgeMessage, { type: Type }>;

/** What is told of an endpoint that an edge is in doubt about. */
export interface Doubts {
  /** Tells all edges but one of its doubt. */
  doubt(edge: string, message: Message<'suspect'>): void;
  /** Tells an edge that an endpoint which it was in doubt about still is what it was. */
  trust(edge: string, message: Message<'suspect'>): void;
}

/** What the edges say, in order, one edge after the other. */
export interface LinkListener {
  onDemand(edge: string, message: Message<'demand'>): void;
  onReport(edge: string, report: EdgeReport): void;
  /** What happened while nobody led the edge. */
  onLate(totals: Message<'late'>): void;
  onAck(edge: string, message: Message<'ack'>): void;
  onDrained(edge: string, message: Message<'drained'>): void;
  onSuspect(edge: string, message: Message<'suspect'>, doubts: Doubts): void;
  onBadAnswer(message: Message<'bad-answer'>): void;
  onUnreachable(message: Message<'unreachable'>): void;
  onEjected(message: Message<'ejected'>): void;
  /** The edge is gone: nothing is in flight or held on it any more. */
  onDetached(edge: string): void;
  /** The edge is here again, and has gone on meanwhile by what it was told last. */
  onReturned(edge: string): void;
}

export type ProbeOutcome = { ok: true; host: string } | { ok: false; reason: 'timeout' | 'tls'; detail: string };
export type ProbeOrder = Omit<ProbeRequest, 'type' | 'probe'>;

/** An edge that has not reported for this long says nothing any more, ms: three ticks. */
const STALE_MS = 3000;
/** An edge that does not answer a probe in its time gets this much more, ms. */
const PROBE_GRACE_MS = 1000;

/**
 * Edges that attach within this time of each other get one table, if nothing changed, ms; more where making it took long,
 * so that many edges at once do not take the control plane's time.
 */
const SAME_TABLE_MS = 100;
const SAME_TABLE_TIMES = 10;

/** A service's state for the edges. */
export interface Told {
  state: ServiceState;
  /** Of what the state says apart from times, which are told as ages: states of equal content have equal ones. */
  content: string;
}

interface LastTold {
  content: string;
  version: number;
  /** Undefined where it says times, as ages: those are others by now. */
  state: ServiceState | undefined;
}

/** What a table says; `told`: by service, what every edge knows already and may be said again. */
export type Snapshot = (told?: (service: string) => Told | undefined) => { table: RoutingTable; states: Told[] };

interface AttachedEdge {
  link: ChannelEnd<EdgeMessage, ControlMessage>;
  end: (() => void) | undefined;
  reportedAt: number | undefined;
  connections: number;
  /** Held requests by service, as last told: a probe goes where its connection is most likely used. */
  held: Map<string, number>;
  collected: number;
}

interface PendingProbe {
  order: ProbeOrder;
  edge: string | undefined;
  deadline: number;
  timer: Timer;
  settle: (outcome: ProbeOutcome) => void;
  onTry: (host: string, result: string) => void;
}

/** All attached edges: what goes to every one of them, what goes to one, and what comes back. */
export class LinkHub implements Doubts {
  /** Edges that were cut off, and may be in use elsewhere. */
  readonly absent: AbsentEdges;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #listener: LinkListener;
  readonly #edges = new Map<string, AttachedEdge>();
  readonly #probes = new Map<string, PendingProbe>();
  readonly #waitingForCollect = new Set<() => void>();
  readonly #slots = new SlotBroker((edge, grant) => this.#send(edge, grant));
  readonly #snapshot: Snapshot;
  /** What every edge was told of a service last, in whatever message, and under which version. */
  #told = new Map<string, LastTold>();
  /** Of services whose slots several edges share. */
  #policies = new Map<string, ServicePolicy>();
  #version = 0;
  /** Until when every edge has reported lately, whatever else they say, the clock's ms. */
  #freshUntil = Number.NEGATIVE_INFINITY;
  /** Edges have said something since that was worked out. */
  #isFreshUnknown = true;
  /** What the last edge got when it attached. */
  #welcome: { message: Extract<ControlMessage, { type: 'table' }>; until: number } | undefined;
  #probeCount = 0;
  #collectCount = 0;

  /**
   * @param snapshot what a new edge gets first
   * @param edgesKnown edges of an earlier control plane attach until it settles, and use slots meanwhile
   */
  constructor(clock: Clock, logger: Logger, listener: LinkListener, snapshot: Snapshot, edgesKnown?: Promise<unknown>) {
    this.absent = new AbsentEdges(clock);
    this.#clock = clock;
    this.#logger = logger;
    this.#listener = listener;
    this.#snapshot = snapshot;
    if (edgesKnown === undefined) return;
    this.#slots.hold();
    const handOut = () => this.#slots.handOut();
    void edgesKnown.then(handOut, handOut);
  }

  /**
   * Takes an edge into service; its first message is the whole table. A link that closes takes its edge out.
   * @param end ends the edge, and so closes the link; absent where it cannot be ended by itself
   */
  attach(edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, end?: () => void): void {
    this.#edges.get(edge)?.link.close();
    const began = this.#clock.now();
    const message = this.#wholeTable(began);
    this.#edges.set(edge, { link, end, reportedAt: undefined, connections: 0, held: new Map(), collected: 0 });
    this.#freshUntil = Number.NEGATIVE_INFINITY;
    link.post(message);
    if (this.#welcome?.message !== message) {
      // Sending it for the first time is most of the work.
      const took = this.#clock.now() - began;
      this.#welcome = { message, until: began + SAME_TABLE_MS + (1 + SAME_TABLE_TIMES) * took };
    }
    this.#slots.attach(edge);
    if (this.absent.seen(edge)) this.#listener.onReturned(edge);
    link.onMessage((message) => guarded(this.#logger, message.type, () => this.#receive(edge, link, message)));
    link.onClose(() => guarded(this.#logger, 'detach', () => this.#detach(edge, link)));
    for (const [probe, pending] of this.#probes) if (pending.edge === undefined) this.#assign(probe, pending);
  }

  #wholeTable(now: number): Extract<ControlMessage, { type: 'table' }> {
    const last = this.#welcome;
    if (last?.message.version === this.#version && now < last.until) return last.message;
    // Of thousands of services most are as they were told last: to describe all of them anew takes long.
    const { table, states: told } = this.#snapshot((service) => {
      const { content, state } = this.#told.get(service) ?? {};
      return content === undefined || state === undefined ? undefined : { content, state };
    });
    // One edge must not know more than the others: what follows is told to all or, if it is no news, to none.
    for (const each of told) this.publish(each);
    const states = told.map(({ state }) => state);
    const message = { type: 'table', version: ++this.#version, table, states } as const;
    this.#follow(table, states);
    return message;
  }

  get edges(): string[] {
    return [...this.#edges.keys()];
  }

  /** Ends an edge that does not do what it is told. @returns whether it will detach */
  end(edge: string): boolean {
    const attached = this.#edges.get(edge);
    attached?.end?.();
    return attached?.end !== undefined;
  }

  /** Open client connections on all edges. */
  get connections(): number {
    return [...this.#edges.values()].reduce((sum, { connections }) => sum + connections, 0);
  }

  /** Whether there is an edge and every one reported within three ticks: without data nothing may be decided. */
  get fresh(): boolean {
    if (this.#edges.size === 0) return false;
    const now = this.#clock.now();
    // Every service asks each second, and there may be a thousand edges: what they say later only makes this later.
    if (now > this.#freshUntil && this.#isFreshUnknown) {
      this.#isFreshUnknown = false;
      this.#freshUntil = Number.POSITIVE_INFINITY;
      for (const { reportedAt = Number.NEGATIVE_INFINITY } of this.#edges.values()) {
        this.#freshUntil = Math.min(this.#freshUntil, reportedAt + STALE_MS);
      }
    }
    return now <= this.#freshUntil;
  }

  /**
   * Sends one service's state to every edge, unless its content is what they were told last.
   * @returns the version it went out under
   */
  publish(told: Told): number {
    const { state } = told;
    const before = this.#told.get(state.service);
    const known = this.#note(told, this.#version + 1);
    if (known === before) return known.version;
    this.#version = known.version;
    this.#broadcast({ type: 'service', version: known.version, state });
    this.#shareSlots(this.#policies.get(state.service), state);
    return known.version;
  }

  /** Sends the whole table to every edge. */
  publishTable(): void {
    const { table, states: told } = this.#snapshot();
    const version = ++this.#version;
    this.#told = new Map(told.map((each) => [each.state.service, this.#note(each, version)]));
    const states = told.map(({ state }) => state);
    this.#broadcast({ type: 'table', version, table, states });
    this.#follow(table, states);
  }

  /** Takes down what every edge is told now under a version; the same content stays under the version it had. */
  #note({ state, content }: Told, version: number): LastTold {
    const before = this.#told.get(state.service);
    if (before?.content === content) return before;
    const isTimeless = state.blocked === null && state.endpoints.every(({ start }) => start === null);
    const noted = { content, version, state: isTimeless ? state : undefined };
    this.#told.set(state.service, noted);
    return noted;
  }

  /** Keeps what the policies say of slots, and shares out what the endpoints have. */
  #follow({ services }: RoutingTable, states: ServiceState[]): void {
    const shared = services.filter(({ sharesSlots }) => sharesSlots);
    this.#policies = new Map(shared.map((policy) => [policy.name, policy]));
    this.#slots.keep(new Set(this.#policies.keys()));
    for (const state of states) this.#shareSlots(this.#policies.get(state.service), state);
  }

  #shareSlots(policy: ServicePolicy | undefined, { service, endpoints }: ServiceState): void {
    if (policy === undefined) return;
    const capacities = new Map<string, number>();
    for (const { id, maxConnections = 0 } of endpoints) {
      const capacity = Math.min(
        policy.concurrency || Number.POSITIVE_INFINITY,
        maxConnections || Number.POSITIVE_INFINITY,
      );
      if (capacity < Number.POSITIVE_INFINITY) capacities.set(id, capacity);
    }
    this.#slots.follow(service, capacities);
  }

  /**
   * Has one edge find out when an address answers: the one on which most requests wait for the service, and another
   * one when that goes away.
   * @param onTry told what a try came to, whenever that is another answer than the one before
   * @throws the signal's reason when aborted
   */
  probe(
    order: ProbeOrder,
    signal: AbortSignal,
    onTry: (host: string, result: string) => void = () => {},
  ): Promise<ProbeOutcome> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const probe = `probe-${++this.#probeCount}`;
      const finish = () => {
        this.#probes.delete(probe);
        timer.cancel();
        signal.removeEventListener('abort', onAbort);
      };
      const onAbort = () => {
        this.#send(pending.edge, { type: 'cancel-probe', probe });
        finish();
        reject(signal.reason);
      };
      const settle = (outcome: ProbeOutcome) => {
        finish();
        resolve(outcome);
      };
      const timer = this.#clock.after(order.timeoutMs + PROBE_GRACE_MS, () =>
        settle({ ok: false, reason: 'timeout', detail: 'no edge answered' }),
      );
      const deadline = this.#clock.now() + order.timeoutMs;
      const pending: PendingProbe = { order, edge: undefined, deadline, timer, settle, onTry };
      this.#probes.set(probe, pending);
      signal.addEventListener('abort', onAbort, { once: true });
      this.#assign(probe, pending);
    });
  }

  /** They may have no connection that would tell them, or one that leads elsewhere. */
  doubt(edge: string, { service, endpoint }: Message<'suspect'>): void {
    for (const other of this.#edges.keys()) if (other !== edge) this.#send(other, { type: 'doubt', service, endpoint });
  }

  trust(edge: string, { service, endpoint, doubt }: Message<'suspect'>): void {
    this.#send(edge, { type: 'trust', service, endpoint, doubt });
  }

  /** Asks all edges for a report and resolves when all have answered, or after `limitMs`. */
  async collect(limitMs: number): Promise<void> {
    if (this.#edges.size === 0) return;
    const collect = ++this.#collectCount;
    this.#broadcast({ type: 'collect', collect });
    await new Promise<void>((resolve) => {
      const done = () => {
        timer.cancel();
        this.#waitingForCollect.delete(check);
        resolve();
      };
      const check = () => {
        if ([...this.#edges.values()].every(({ collected }) => collected >= collect)) done();
      };
      const timer = this.#clock.after(limitMs, done);
      this.#waitingForCollect.add(check);
    });
  }

  #receive(edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>, message: EdgeMessage): void {
    const attached = this.#edges.get(edge);
    if (attached === undefined || attached.link !== link) return;
    switch (message.type) {
      case 'demand':
        attached.held.set(message.service, message.held);
        this.#listener.onDemand(edge, message);
        break;
      case 'report':
        attached.reportedAt = this.#clock.now();
        this.#isFreshUnknown = true;
        attached.connections = message.connections;
        attached.held = new Map(message.services.map(({ service, held }) => [service, held]));
        try {
          this.#listener.onReport(edge, message);
        } finally {
          if (message.collect !== null) attached.collected = message.collect;
          for (const check of [...this.#waitingForCollect]) check();
        }
        break;
      case 'late':
        this.#listener.onLate(message);
        break;
      case 'ack':
        this.#listener.onAck(edge, message);
        break;
      case 'drained':
        this.#listener.onDrained(edge, message);
        break;
      case 'slots':
        this.#slots.onClaim(edge, message);
        break;
      case 'suspect':
        this.#listener.onSuspect(edge, message, this);
        break;
      case 'bad-answer':
        this.#listener.onBadAnswer(message);
        break;
      case 'unreachable':
        this.#listener.onUnreachable(message);
        break;
      case 'ejected':
        this.#listener.onEjected(message);
        break;
      case 'probing': {
        const pending = this.#probes.get(message.probe);
        if (pending?.edge === edge) pending.onTry(message.host, message.result);
        break;
      }
      case 'probed': {
        const pending = this.#probes.get(message.probe);
        if (pending?.edge !== edge) return;
        const { probe: _, type: __, ...outcome } = message;
        pending.settle(outcome);
        break;
      }
    }
  }

  #detach(edge: string, link: ChannelEnd<EdgeMessage, ControlMessage>): void {
    if (this.#edges.get(edge)?.link !== link) return;
    this.#edges.delete(edge);
    this.#isFreshUnknown = true;
    this.#slots.detach(edge);
    for (const [probe, pending] of this.#probes) {
      if (pending.edge !== edge) continue;
      pending.edge = undefined;
      this.#assign(probe, pending);
    }
    for (const check of [...this.#waitingForCollect]) check();
    this.#listener.onDetached(edge);
  }

  #assign(probe: string, pending: PendingProbe): void {
    let best: string | undefined;
    let most = -1;
    for (const [edge, { held }] of this.#edges) {
      const here = held.get(pending.order.service) ?? 0;
      if (here > most) [best, most] = [edge, here];
    }
    if (best === undefined) return;
    pending.edge = best;
    const timeoutMs = Math.max(1, pending.deadline - this.#clock.now());
    this.#send(best, { type: 'probe', probe, ...pending.order, timeoutMs });
  }

  #broadcast(message: ControlMessage): void {
    for (const { link } of this.#edges.values()) link.post(message);
  }

  #send(edge: string | undefined, message: ControlMessage): void {
    if (edge !== undefined) this.#edges.get(edge)?.link.post(message);
  }
}
