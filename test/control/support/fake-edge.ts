import type { ControlMessage, EdgeMessage, ProbeRequest, ServiceReport } from '../../../src/model/link.ts';
import type { RoutingTable, ServicePolicy, ServiceState } from '../../../src/model/snapshot.ts';
import type { ChannelEnd } from '../../../src/util/channel.ts';
import type { Clock, Timer } from '../../../src/util/clock.ts';
import { Histogram } from '../../../src/util/histogram.ts';
import type { AppRequest } from './fake-app.ts';
import { FakeFigures } from './fake-figures.ts';
import type { FakeRuntime } from './fake-runtime.ts';

export type Outcome = 'answered' | 'failed' | 'blocked' | 'full' | 'reset' | 'aborted' | 'deadline';

/** A request at the fake edge. */
export interface FakeRequest {
  readonly service: string;
  readonly arrivedAt: number;
  outcome: Outcome | undefined;
  endedAt: number;
  /** Since it came, or since the service for whose start it waited is ready. */
  since: number;
  /** Nothing else was in flight on the endpoint when it was dispatched. */
  isCalm: boolean;
  endpoint: string | undefined;
  /** In the app's hands. */
  inside: AppRequest | undefined;
  /** After its first byte it goes on for so long, ms. */
  bodyMs: number;
  quiet: boolean;
}

interface EdgeService {
  state: ServiceState;
  held: FakeRequest[];
  inFlight: Set<FakeRequest>;
  /** In flight by endpoint. */
  counts: Map<string, number>;
  cordons: Map<string, { version: number; drained: boolean }>;
  blockedUntil: number;
  lastActivity: number;
  told: number;
  figures: FakeFigures;
}

const PROBE_EVERY_MS = 10;

/** An edge as control sees it: holds, dispatches to the least busy, reports, probes and acknowledges; no sockets. */
export class FakeEdge {
  table: RoutingTable | undefined;
  readonly messages: ControlMessage[] = [];
  /** Whether cordons are acknowledged. */
  acknowledges = true;
  /** Which endpoints fail their health checks: they get no requests. */
  isUnhealthy: (endpoint: string) => boolean = () => false;
  reports = true;
  mutedAt = 0;
  /** Called where it is told of endpoints; `before` is what it was told last, and used unless it was cut off. */
  onTold: (state: ServiceState, before: ServiceState, wasCutOff: boolean) => void = () => {};
  /** Called on every dispatch. */
  onDispatch: (service: string, endpoint: string) => void = () => {};
  readonly #clock: Clock;
  readonly #link: ChannelEnd<ControlMessage, EdgeMessage>;
  readonly #runtime: FakeRuntime;
  readonly #services = new Map<string, EdgeService>();
  readonly #probes = new Map<string, Timer>();
  /** For how long it uses replicas without a contact, and until when that is, ms. */
  #aloneMs = Number.POSITIVE_INFINITY;
  #ledUntil = Number.POSITIVE_INFINITY;
  /** It was cut off, and whoever leads it now has told it nothing yet. */
  #isOutdated = false;
  #reporter: Timer;
  #reportedAt: number;
  #version = 0;

  constructor(clock: Clock, link: ChannelEnd<ControlMessage, EdgeMessage>, runtime: FakeRuntime) {
    this.#clock = clock;
    this.#link = link;
    this.#runtime = runtime;
    this.#reportedAt = clock.now();
    link.onMessage((message) => this.#receive(message));
    this.#reporter = clock.every(1000, () => {
      if (this.reports) this.report(null);
    });
  }

  /** A client sends a request. */
  request(service: string, options: { bodyMs?: number; quiet?: boolean } = {}): FakeRequest {
    const now = this.#clock.now();
    const { bodyMs = 0, quiet = false } = options;
    const request: FakeRequest = {
      service,
      arrivedAt: now,
      outcome: undefined,
      endedAt: 0,
      since: now,
      isCalm: false,
      endpoint: undefined,
      inside: undefined,
      bodyMs,
      quiet,
    };
    const known = this.service(service);
    known.figures.count('arrivals');
    known.lastActivity = now;
    this.#place(known, request);
    return request;
  }

  /** Its client goes away. */
  abort(request: FakeRequest): void {
    this.#end(this.service(request.service), request, 'aborted');
  }

  /** Says nothing of itself for a while. */
  mute(ms: number): void {
    this.reports = false;
    this.mutedAt = this.#clock.now();
    this.#clock.after(ms, () => {
      this.reports = true;
    });
  }

  owns(request: FakeRequest): boolean {
    const { held, inFlight } = this.service(request.service);
    return held.includes(request) || inFlight.has(request);
  }

  /** Everything about one service. */
  service(name: string): EdgeService {
    let service = this.#services.get(name);
    if (service === undefined) {
      service = {
        state: {
          service: name,
          endpoints: [],
          holdTimeoutMs: 30_000,
          starting: false,
          inFlightLimit: null,
          expectedStartMs: null,
          blocked: null,
          failures: 0,
        },
        held: [],
        inFlight: new Set(),
        counts: new Map(),
        cordons: new Map(),
        blockedUntil: 0,
        lastActivity: this.#clock.now(),
        told: 0,
        figures: new FakeFigures(),
      };
      this.#services.set(name, service);
    }
    return service;
  }

  ready(name: string): string[] {
    return this.service(name)
      .state.endpoints.filter(({ state }) => state === 'ready')
      .map(({ id }) => id);
  }

  /** Sends any message, as it comes. */
  say(message: EdgeMessage): void {
    this.#link.post(message);
  }

  /** The edge dies: its link closes. */
  die(): void {
    this.#reporter.cancel();
    for (const timer of this.#probes.values()) timer.cancel();
    for (const service of this.#services.values()) {
      for (const request of [...service.held, ...service.inFlight]) this.#end(service, request, 'reset');
    }
    this.#link.close();
  }

  report(collect: number | null): void {
    const now = this.#clock.now();
    const spanMs = now - this.#reportedAt;
    this.#reportedAt = now;
    const services = [...this.#services].flatMap(([name, service]) => this.#reportOf(name, service, now) ?? []);
    this.say({ type: 'report', collect, spanMs, services, connections: 0, unrouted: [], accessLost: 0 });
  }

  #reportOf(name: string, service: EdgeService, now: number): ServiceReport | undefined {
    const { figures, held, inFlight, state } = service;
    if (state.endpoints.length === 0 && held.length === 0 && figures.isSilent) return undefined;
    const endpoints = state.endpoints.map(({ id }) => {
      const waiting = new Histogram();
      for (const { endpoint, inside, since, arrivedAt } of inFlight)
        if (endpoint === id && inside !== undefined && arrivedAt >= figures.timedFrom) waiting.add(now - since);
      const active = [...inFlight].filter((request) => request.endpoint === id && !request.quiet);
      return {
        endpoint: id,
        inFlight: service.counts.get(id) ?? 0,
        ...(active.length > 0 && { oldestMs: now - Math.min(...active.map(({ since }) => since)) }),
        ...(this.isUnhealthy(id) && { condition: 'unhealthy' as const }),
        ...figures.takeEndpoint(id),
        waiting: waiting.sparse(),
      };
    });
    const queued = new Histogram();
    if (this.ready(name).length > 0) for (const { since } of held) queued.add(now - since);
    const counters = figures.take(now);
    return {
      service: name,
      requests: counters.arrivals,
      ...counters,
      queued: queued.sparse(),
      retries: 0,
      inFlight: inFlight.size,
      passive: 0,
      held: held.length,
      heldBytes: 0,
      idleForMs: this.#idleFor(service, now),
      total: counters.ttfb,
      endpoints,
    };
  }

  #idleFor({ held, inFlight, lastActivity }: EdgeService, now: number): number {
    return held.length > 0 || [...inFlight].some(({ quiet }) => !quiet) ? 0 : now - lastActivity;
  }

  #receive(message: ControlMessage): void {
    this.messages.push(message);
    if ('version' in message) {
      if (message.version <= this.#version) throw new Error(`version ${message.version} after ${this.#version}`);
      this.#version = message.version;
    }
    if (message.type === 'led') {
      this.#isOutdated = this.isCutOff;
      this.#aloneMs = message.aloneMs;
      this.#noteContact();
      this.#led(message.term);
    } else if (message.type === 'contact') {
      this.#noteContact();
    } else if (message.type === 'table') {
      this.table = message.table;
      const wasCutOff = this.isCutOff;
      this.#isOutdated = false;
      for (const state of message.states) this.#apply(state, message.version, wasCutOff);
      for (const service of this.#services.values()) this.#tell(service);
    } else if (message.type === 'service') {
      this.#apply(message.state, message.version);
    } else if (message.type === 'probe') {
      this.#probe(message);
    } else if (message.type === 'cancel-probe') {
      this.#probes.get(message.probe)?.cancel();
      this.#probes.delete(message.probe);
    } else if (message.type === 'collect' && this.reports) {
      this.report(message.collect);
    }
  }

  /** Another control plane speaks from here on: it is told all anew. */
  #led(term: number): void {
    this.#version = 0;
    for (const timer of this.#probes.values()) timer.cancel();
    this.#probes.clear();
    for (const service of this.#services.values()) {
      service.told = 0;
      service.cordons.clear();
    }
    this.say({ type: 'led', term });
  }

  /** Nobody has led it for so long that replicas may be stopped without its word: it sends them nothing. */
  get isCutOff(): boolean {
    return this.#isOutdated || this.#clock.now() >= this.#ledUntil;
  }

  #noteContact(): void {
    const wasCutOff = this.isCutOff;
    this.#ledUntil = this.#clock.now() + this.#aloneMs;
    if (wasCutOff && !this.isCutOff) for (const service of this.#services.values()) this.#release(service);
  }

  #apply(state: ServiceState, version: number, wasCutOff = this.isCutOff): void {
    const now = this.#clock.now();
    const service = this.service(state.service);
    const before = service.state;
    this.onTold(state, before, wasCutOff);
    const wereReady = this.ready(state.service);
    service.state = state;
    const ready = this.ready(state.service);
    if (wereReady.length === 0 && ready.length > 0) for (const request of service.held) request.since = now;
    if (ready.some((id) => !wereReady.includes(id))) service.figures.timeAnew(now);
    this.#weigh(service);
    service.blockedUntil = state.blocked === null ? 0 : now + state.blocked.retryAfterMs;
    for (const endpoint of state.endpoints) {
      const { id } = endpoint;
      if (endpoint.state === 'ready') service.cordons.delete(id);
      else if (!service.cordons.has(id)) {
        service.cordons.set(id, { version, drained: false });
        const own = [...service.inFlight].filter((request) => request.endpoint === id);
        const quiet = own.filter((request) => request.quiet).length;
        const idleForMs = this.#idleFor(service, now);
        if (this.acknowledges) {
          this.say({
            type: 'ack',
            version,
            service: state.service,
            endpoint: id,
            inFlight: own.length,
            quiet,
            passive: 0,
            idleForMs,
          });
        }
      }
      if (endpoint.state === 'closing') {
        for (const request of [...service.inFlight]) if (request.endpoint === id) this.#end(service, request, 'reset');
      }
    }
    if (ready.length > 0) this.#release(service);
    else if (state.failures > before.failures) {
      for (const request of [...service.held]) this.#end(service, request, 'failed');
    }
  }

  #place(service: EdgeService, request: FakeRequest): void {
    if (this.#dispatch(service, request)) return;
    if (this.ready(request.service).length === 0 && service.blockedUntil > this.#clock.now()) {
      this.#end(service, request, 'blocked');
      return;
    }
    if (service.held.length >= (this.#policy(service)?.hold.max ?? Number.POSITIVE_INFINITY)) {
      this.#end(service, request, 'full');
      return;
    }
    service.held.push(request);
    this.#weigh(service);
    this.#tell(service);
    this.#clock.after(service.state.holdTimeoutMs, () => {
      if (service.held.includes(request)) this.#end(service, request, 'deadline');
    });
  }

  #policy({ state }: EdgeService): ServicePolicy | undefined {
    return this.table?.services.find(({ name }) => name === state.service);
  }

  /** What is in flight, or waits for a slot of a ready service, changed. */
  #weigh(service: EdgeService): void {
    const queued = this.ready(service.state.service).length > 0 ? service.held.length : 0;
    service.figures.load(service.inFlight.size + queued, this.#clock.now());
  }

  #release(service: EdgeService): void {
    while (service.held[0] !== undefined && this.#dispatch(service, service.held[0])) service.held.shift();
    this.#weigh(service);
    this.#tell(service);
  }

  #dispatch(service: EdgeService, request: FakeRequest): boolean {
    if (this.isCutOff) return false;
    const { concurrency = 0 } = this.#policy(service) ?? {};
    const limit = Math.min(
      concurrency || Number.POSITIVE_INFINITY,
      service.state.inFlightLimit ?? Number.POSITIVE_INFINITY,
    );
    const [best] = service.state.endpoints
      .filter(({ state, id }) => state === 'ready' && !this.isUnhealthy(id))
      .map((view) => [view, service.counts.get(view.id) ?? 0] as const)
      .sort(([, a], [, b]) => a - b);
    if (best === undefined || best[1] >= limit) return false;
    const [view] = best;
    const app = this.#runtime.appAt(view.port);
    if (app === undefined) {
      this.say({ type: 'suspect', service: request.service, endpoint: view.id, cause: 'refused', doubt: 1 });
      return false;
    }
    this.onDispatch(request.service, view.id);
    request.endpoint = view.id;
    request.isCalm = best[1] === 0;
    service.inFlight.add(request);
    service.counts.set(view.id, best[1] + 1);
    this.#weigh(service);
    request.inside = {
      answered: (status) => this.#answered(service, request, status),
      reset: () => {
        service.figures.count('resets');
        this.#end(service, request, 'reset');
      },
      cancelled: false,
    };
    app.accept(request.inside);
    return true;
  }

  #answered(service: EdgeService, request: FakeRequest, status: number): void {
    const { endpoint, since, arrivedAt, isCalm } = request;
    if (request.outcome !== undefined || endpoint === undefined) return;
    request.inside = undefined;
    const { shed = [503] } = this.#policy(service) ?? {};
    service.figures.answered(endpoint, status, shed, this.#clock.now() - since, arrivedAt, isCalm);
    if (request.bodyMs === 0) this.#end(service, request, 'answered');
    else this.#clock.after(request.bodyMs, () => this.#end(service, request, 'answered'));
  }

  #end(service: EdgeService, request: FakeRequest, outcome: Outcome): void {
    if (request.outcome !== undefined) return;
    request.outcome = outcome;
    request.endedAt = this.#clock.now();
    if (outcome === 'full' || outcome === 'deadline') service.figures.refused(outcome);
    service.lastActivity = request.endedAt;
    if (request.inside !== undefined) request.inside.cancelled = true;
    service.held = service.held.filter((other) => other !== request);
    if (service.inFlight.delete(request)) {
      const id = request.endpoint ?? '';
      service.counts.set(id, (service.counts.get(id) ?? 1) - 1);
      this.#drained(service, request);
    }
    this.#release(service);
  }

  #drained(service: EdgeService, { endpoint }: FakeRequest): void {
    const cordon = service.cordons.get(endpoint ?? '');
    if (cordon === undefined || cordon.drained || endpoint === undefined) return;
    const own = [...service.inFlight].filter((other) => other.endpoint === endpoint);
    if (own.some(({ quiet }) => !quiet)) return;
    cordon.drained = true;
    const { version } = cordon;
    this.say({ type: 'drained', version, service: service.state.service, endpoint, quiet: own.length });
  }

  #tell(service: EdgeService): void {
    if (service.held.length === service.told) return;
    service.told = service.held.length;
    this.say({ type: 'demand', service: service.state.service, held: service.told, inFlight: service.inFlight.size });
  }

  #probe({ probe, host, port, timeoutMs }: ProbeRequest): void {
    const began = this.#clock.now();
    const timer = this.#clock.every(PROBE_EVERY_MS, () => {
      const tookMs = this.#clock.now() - began;
      const ok = this.#runtime.answers(port);
      if (!ok && tookMs < timeoutMs) return;
      timer.cancel();
      this.#probes.delete(probe);
      this.say(ok ? { type: 'probed', probe, ok, host } : { type: 'probed', probe, ok, reason: 'timeout', detail: '' });
    });
    this.#probes.set(probe, timer);
  }
}
