import { randomBytes } from 'node:crypto';
import type { AccessLog } from '../model/access.ts';
import type { EdgeListener } from '../model/certificates.ts';
import type { ControlMessage, EdgeMessage, ServiceReport } from '../model/link.ts';
import type { Logger } from '../model/observe.ts';
import type { HostPort } from '../model/settings.ts';
import type { RoutingTable } from '../model/snapshot.ts';
import type { Traces } from '../model/traces.ts';
import type { ChannelEnd } from '../util/channel.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { shareDescriptors } from '../util/descriptors.ts';
import type { BoundSockets } from '../util/listening.ts';
import type { ClientContext } from './client/context.ts';
import { ByteWatch } from './client/http2/byte-account.ts';
import { Listeners } from './client/listener.ts';
import { UntrustedForwarding } from './client/untrusted-forwarding.ts';
import { CompressionLimit } from './compress/compression-limit.ts';
import { StaleCheck } from './exchange/stale-check.ts';
import { CheckGate } from './health/check-gate.ts';
import { Prober } from './health/prober.ts';
import { TrustedProxies } from './io/client-address.ts';
import { Deadlines } from './io/deadlines.ts';
import { Shortage } from './io/shortage.ts';
import { ListenerRoutes } from './route/listener-routes.ts';
import type { Route } from './route/route-compiler.ts';
import { RouteCompiler } from './route/route-compiler.ts';
import { Service } from './service/service.ts';
import { SessionCounts } from './service/session-counts.ts';
import { HttpProxyEngine } from './upstream/http-proxy-engine.ts';

/** Most health checks under way at once. */
const MAX_CHECKS = 64;
/** Figures are sent this often, ms. */
const REPORT_EVERY_MS = 1000;
/** If no connection was idle, one is looked for again after so long, ms: a look through all services takes a while. */
const LOOK_FOR_IDLE_EVERY_MS = 100;
/** A drain looks this often whether it is done, ms. */
const DRAIN_CHECK_MS = 20;

export interface EdgeOptions {
  link: ChannelEnd<ControlMessage, EdgeMessage>;
  clock: Clock;
  logger: Logger;
  /** Takes a record per request. */
  access?: AccessLog | undefined;
  /** Takes what is traced. */
  traces?: Traces | undefined;
  /**
   * Binds the sockets of a listener that is given none, and returns them with its real address; undefined: the listener
   * opens one itself.
   */
  bind?: ((address: HostPort) => Promise<{ sockets: readonly object[] }>) | undefined;
  /** File descriptors that this process may have open. Undefined: no limit. */
  descriptors?: number | undefined;
}

/**
 * What the rooms of one edge share: one object that is the context of each, so that a request reaches anything in one
 * step.
 */
type EdgeContext = ClientContext;

/** The data plane of one process. */
export interface Edge {
  /**
   * Listens on exactly these from now on. It opens new ones before it closes missing ones, and leaves the same ones
   * alone.
   * @param bound sockets that are bound already, for listeners that are new
   * @returns the addresses in use, in the order given
   * @throws ADDRESS_IN_USE, ADDRESS_FORBIDDEN; then nothing has changed
   */
  listen(listeners: EdgeListener[], bound?: BoundSockets): Promise<HostPort[]>;
  /**
   * Stops accepting. What is in flight may end, and what is held may wait for its service. Each service drains by its
   * own limit, counted from when the drain began, or from when something came later; then the rest is refused or cut.
   * @param deadlineMs ends everything
   * @param handOver another process accepts from the same sockets: idle connections stay open until the deadline and
   *   are closed behind their next answer, as a request may be on its way; requests are held as before
   */
  drain(deadlineMs: number, handOver?: boolean): Promise<void>;
  /** Descriptors of the listening sockets. */
  readonly sockets: number[];
  close(): Promise<void>;
}

/** Makes an edge that serves what the control plane at the other end of the link tells it to. */
export function createEdge(options: EdgeOptions): Edge {
  return new EdgePlane(options);
}

class EdgePlane implements Edge {
  readonly #link: ChannelEnd<ControlMessage, EdgeMessage>;
  readonly #clock: Clock;
  readonly #context: EdgeContext;
  readonly #prober: Prober;
  readonly #listeners: Listeners;
  readonly #services = new Map<string, Service>();
  readonly #routeCompiler: RouteCompiler;
  readonly #reportTimer: Timer;
  #reportedAt: number;
  #engine: HttpProxyEngine | undefined;
  #noneIdleAt = Number.NEGATIVE_INFINITY;
  /** For how long it dispatches to replicas of ours without a contact, ms. Infinite: nobody else than this proxy leads it. */
  #aloneMs = Number.POSITIVE_INFINITY;
  /** The control plane that leads has not said what it knows yet. */
  #isNewlyLed = false;

  constructor(options: EdgeOptions) {
    const { link, clock, bind } = options;
    this.#link = link;
    this.#clock = clock;
    this.#reportedAt = clock.now();
    this.#context = this.#createContext(options);
    this.#prober = new Prober(this.#context);
    this.#routeCompiler = new RouteCompiler(options.logger);
    this.#listeners = new Listeners(this.#context, bind);
    link.onMessage((message) => this.#onMessage(message));
    link.onClose(() => this.#refuseWaiting());
    this.#reportTimer = clock.every(REPORT_EVERY_MS, () => this.#tick());
  }

  listen(listeners: EdgeListener[], bound?: BoundSockets): Promise<HostPort[]> {
    return this.#listeners.set(listeners, bound);
  }

  get sockets(): number[] {
    return this.#listeners.sockets;
  }

  async drain(deadlineMs: number, handOver = false): Promise<void> {
    const began = this.#clock.now();
    this.#context.draining = true;
    this.#context.handingOver = handOver;
    await this.#listeners.set([]);
    this.#listeners.drainConnections(handOver);
    const deadline = began + deadlineMs;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.every(DRAIN_CHECK_MS, () => {
        const now = this.#clock.now();
        if (this.#listeners.connectionCount > 0 && now < deadline) {
          for (const service of this.#services.values()) service.drainSince(began, now);
          return;
        }
        timer.cancel();
        resolve();
      });
    });
    for (const service of this.#services.values()) service.endDrain();
    await this.#listeners.settle();
  }

  async close(): Promise<void> {
    this.#context.draining = true;
    this.#reportTimer.cancel();
    this.#prober.close();
    await this.#listeners.set([]);
    this.#listeners.destroyConnections();
    for (const service of this.#services.values()) service.close();
    this.#engine?.close();
    this.#context.deadlines.close();
    this.#link.close();
  }

  #createContext({ logger, access, traces, descriptors }: EdgeOptions): EdgeContext {
    const { clients, overLimit } = shareDescriptors(descriptors ?? Number.POSITIVE_INFINITY);
    const clock = this.#clock;
    const prefix = randomBytes(5).toString('hex');
    let requests = 0;
    let date = '';
    let dateAt = Number.NEGATIVE_INFINITY;
    const deadlines = new Deadlines(clock);
    return {
      clock,
      logger,
      staleCheck: new StaleCheck(),
      deadlines,
      byteWatch: new ByteWatch(deadlines),
      checkGate: new CheckGate(MAX_CHECKS),
      routes: new ListenerRoutes<Route>([], () => {
        throw new Error('an empty table has no targets');
      }),
      ledUntil: Number.POSITIVE_INFINITY,
      trusted: new TrustedProxies([]),
      untrusted: new UntrustedForwarding(logger),
      serviceOf: (name) => this.#services.get(name),
      strayed: new SessionCounts(),
      handshakes: new Map(),
      http2Cut: new Map(),
      heldBytes: 0,
      maxHeldBytes: 0,
      draining: false,
      handingOver: false,
      shortage: new Shortage(clock, logger, descriptors),
      compressions: new CompressionLimit(),
      room: clients,
      overLimit,
      closeIdle: () => this.#closeIdle(),
      unrouted: new Map(),
      access,
      traces,
      httpProxyEngine: () => (this.#engine ??= new HttpProxyEngine()),
      post: (message) => this.#link.post(message),
      transportOf: (name) => this.#services.get(name)?.transport,
      takeProbed: (view) => this.#prober.take(view),
      requestId: () => `${prefix}-${(requests++).toString(36)}`,
      date: () => {
        const now = clock.now();
        if (now - dateAt >= 1000) {
          dateAt = now;
          date = new Date(clock.wall()).toUTCString();
        }
        return date;
      },
    };
  }

  #onMessage(message: ControlMessage): void {
    switch (message.type) {
      case 'table':
        this.#applyTable(message.table);
        for (const state of message.states) this.#services.get(state.service)?.apply(state, message.version);
        this.#isNewlyLed = false;
        break;
      case 'members':
        this.#routeCompiler.rateShare.of = message.count;
        break;
      case 'service':
        this.#services.get(message.state.service)?.apply(message.state, message.version);
        break;
      case 'slots':
        this.#services.get(message.service)?.onSlots(message);
        break;
      case 'doubt':
        this.#services.get(message.service)?.trust.onDoubt(message.endpoint);
        break;
      case 'trust':
        this.#services.get(message.service)?.trust.onTrust(message.endpoint, message.doubt);
        break;
      case 'probe':
        this.#prober.start(message);
        break;
      case 'cancel-probe':
        this.#prober.cancel(message.probe);
        break;
      case 'collect':
        this.#report(message.collect);
        break;
      case 'led':
        this.#follow(message.term, message.aloneMs);
        break;
      case 'contact':
        this.#noteContact();
        break;
    }
  }

  /**
   * Takes over a configuration. A service of the same name keeps its endpoints, queue and figures. A missing one stays
   * for what is in flight, and for what control still says of its endpoints.
   */
  #applyTable(table: RoutingTable): void {
    const context = this.#context;
    const listed = new Set<string>();
    for (const policy of table.services) {
      listed.add(policy.name);
      const service = this.#services.get(policy.name);
      if (service === undefined) this.#services.set(policy.name, new Service(context, policy));
      else service.configure(policy);
    }
    context.trusted = new TrustedProxies(table.trustedProxies);
    context.maxHeldBytes = table.heldBytes;
    context.compressions.most = table.compressions ?? Number.POSITIVE_INFINITY;
    context.routes = new ListenerRoutes(table.routes, (route) =>
      this.#routeCompiler.compile(route, this.#services.get(route.service) as Service),
    );
    this.#routeCompiler.done();
    for (const [name, service] of this.#services) {
      if (!listed.has(name)) service.leave();
    }
  }

  /**
   * Another control plane leads from here on: what the one before asked for is void, and this one is told all that it was
   * told. Cordons are acknowledged when it says that there are any.
   */
  #follow(term: number, aloneMs: number): void {
    this.#link.post({ type: 'led', term });
    this.#prober.cancelAll();
    for (const service of this.#services.values()) service.follow();
    this.#aloneMs = aloneMs;
    this.#isNewlyLed = true;
    this.#noteContact();
    this.#report(null);
  }

  #noteContact(): void {
    const now = this.#clock.now();
    const wasCutOff = now >= this.#context.ledUntil;
    this.#context.ledUntil = now + this.#aloneMs;
    if (!wasCutOff || this.#isNewlyLed) return;
    for (const service of this.#services.values()) service.restore(now);
  }

  #closeIdle(): boolean {
    const now = this.#clock.now();
    if (now - this.#noneIdleAt < LOOK_FOR_IDLE_EVERY_MS) return false;
    let closed = false;
    for (const service of this.#services.values()) closed = service.closeIdle() || closed;
    if (!closed) this.#noneIdleAt = now;
    return closed;
  }

  /** Refuses what waits for a start: without a control plane nothing is started. */
  #refuseWaiting(): void {
    for (const service of this.#services.values()) service.refuseSleepers();
  }

  #tick(): void {
    const now = this.#clock.now();
    // A loop of `for` would leave a result behind for each service: that were a megabyte a second with 10,000 of them.
    this.#services.forEach((service) => {
      service.sweep(now);
    });
    this.#report(null);
    this.#services.forEach((service, name) => {
      if (!service.hasLeft) return;
      service.close();
      this.#services.delete(name);
    });
  }

  #report(collect: number | null): void {
    const now = this.#clock.now();
    const services: ServiceReport[] = [];
    this.#services.forEach((service) => {
      const report = service.report(now);
      if (report !== undefined) services.push(report);
    });
    const unrouted: number[] = [];
    for (const [status, count] of this.#context.unrouted) unrouted.push(status, count);
    this.#context.unrouted.clear();
    const spanMs = now - this.#reportedAt;
    this.#reportedAt = now;
    const connections = this.#listeners.connectionCount;
    const accessLost = this.#context.access?.takeLost() ?? 0;
    const tracesLost = this.#context.traces?.takeLost() ?? 0;
    const { strayed } = this.#context;
    const sessions = strayed.isQuiet ? undefined : strayed.take();
    this.#link.post({
      type: 'report',
      collect,
      spanMs,
      services,
      connections,
      unrouted,
      sessions,
      accessLost,
      ...(tracesLost === 0 ? {} : { tracesLost }),
      ...taken('handshakes', this.#context.handshakes),
      ...taken('http2Cut', this.#context.http2Cut),
    });
  }
}

/** Takes counts out for a report, which has nothing of them where there are none. */
function taken<Name extends string>(name: Name, counts: Map<string, number>): { [N in Name]?: Record<string, number> } {
  if (counts.size === 0) return {};
  const told = { [name]: Object.fromEntries(counts) } as { [N in Name]?: Record<string, number> };
  counts.clear();
  return told;
}
