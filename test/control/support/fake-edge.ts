import type { ControlMessage, EdgeMessage, ProbeRequest, ServiceReport } from '../../../src/model/link.ts';
import type { RoutingTable, ServiceState } from '../../../src/model/snapshot.ts';
import type { ChannelEnd } from '../../../src/util/channel.ts';
import type { Clock, Timer } from '../../../src/util/clock.ts';
import { Histogram } from '../../../src/util/histogram.ts';
import type { AppRequest } from './fake-app.ts';
import type { FakeRuntime } from './fake-runtime.ts';

export type Outcome = 'answered' | 'failed' | 'blocked' | 'reset' | 'aborted' | 'deadline';

/** A request at the fake edge. */
export interface FakeRequest {
  readonly service: string;
  readonly arrivedAt: number;
  outcome: Outcome | undefined;
  endedAt: number;
  /** Since it was dispatched, or began to wait for a slot on a warm service. */
  since: number;
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
  stats: { arrivals: number; completions: number; ttfb: Map<string, Histogram> };
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
  /** Called on every dispatch. */
  onDispatch: (service: string, endpoint: string) => void = () => {};
  readonly #clock: Clock;
  readonly #link: ChannelEnd<ControlMessage, EdgeMessage>;
  readonly #runtime: FakeRuntime;
  readonly #services = new Map<string, EdgeService>();
  readonly #probes = new Map<string, Timer>();
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
      endpoint: undefined,
      inside: undefined,
      bodyMs,
      quiet,
    };
    const known = this.service(service);
    known.stats.arrivals++;
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
        stats: { arrivals: 0, completions: 0, ttfb: new Map() },
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
    const { stats, held, inFlight, state } = service;
    if (state.endpoints.length === 0 && held.length === 0 && stats.arrivals === 0) return undefined;
    const all = new Histogram();
    const endpoints = state.endpoints.map(({ id }) => {
      const ttfb = stats.ttfb.get(id)?.sparse() ?? [];
      all.merge(ttfb);
      const waiting = new Histogram();
      for (const { endpoint, inside, since } of inFlight)
        if (endpoint === id && inside !== undefined) waiting.add(now - since);
      const active = [...inFlight].filter((request) => request.endpoint === id && !request.quiet);
      return {
        endpoint: id,
        inFlight: service.counts.get(id) ?? 0,
        ...(active.length > 0 && { oldestMs: now - Math.min(...active.map(({ since }) => since)) }),
        ...(this.isUnhealthy(id) && { condition: 'unhealthy' as const }),
        answers: 0,
        ttfb,
        calm: [],
        waiting: waiting.sparse(),
      };
    });
    const { arrivals, completions } = stats;
    service.stats = { arrivals: 0, completions: 0, ttfb: new Map() };
    return {
      service: name,
      arrivals,
      codes: completions > 0 ? [200, completions] : [],
      completions,
      errors: 0,
      resets: 0,
      good: completions,
      shed: 0,
      loadMs: 0,
      queued: [],
      retries: 0,
      inFlight: inFlight.size,
      passive: 0,
      held: held.length,
      heldBytes: 0,
      holdRejected: { full: 0, bytes: 0, client: 0, deadline: 0, failed: 0, denied: 0 },
      idleForMs: this.#idleFor(service, now),
      ttfb: all.sparse(),
      total: all.sparse(),
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
    if (message.type === 'table') {
      this.table = message.table;
      for (const state of message.states) this.#apply(state, message.version);
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

  #apply(state: ServiceState, version: number): void {
    const now = this.#clock.now();
    const service = this.service(state.service);
    const before = service.state;
    service.state = state;
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
    if (this.ready(state.service).length > 0) this.#release(service);
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
    service.held.push(request);
    this.#tell(service);
    this.#clock.after(service.state.holdTimeoutMs, () => {
      if (service.held.includes(request)) this.#end(service, request, 'deadline');
    });
  }

  #release(service: EdgeService): void {
    while (service.held[0] !== undefined && this.#dispatch(service, service.held[0])) service.held.shift();
    this.#tell(service);
  }

  #dispatch(service: EdgeService, request: FakeRequest): boolean {
    const limit = this.table?.services.find(({ name }) => name === request.service)?.concurrency ?? 0;
    const [best] = service.state.endpoints
      .filter(({ state, id }) => state === 'ready' && !this.isUnhealthy(id))
      .map((view) => [view, service.counts.get(view.id) ?? 0] as const)
      .sort(([, a], [, b]) => a - b);
    if (best === undefined || (limit > 0 && best[1] >= limit)) return false;
    const [view] = best;
    const app = this.#runtime.appAt(view.port);
    if (app === undefined) {
      this.say({ type: 'suspect', service: request.service, endpoint: view.id, cause: 'refused', doubt: 1 });
      return false;
    }
    if (service.held[0] === request && !service.state.endpoints.some(({ start }) => start === null))
      request.since = this.#clock.now();
    this.onDispatch(request.service, view.id);
    request.endpoint = view.id;
    service.inFlight.add(request);
    service.counts.set(view.id, best[1] + 1);
    request.inside = {
      answered: () => this.#answered(service, request),
      reset: () => this.#end(service, request, 'reset'),
      cancelled: false,
    };
    app.accept(request.inside);
    return true;
  }

  #answered(service: EdgeService, request: FakeRequest): void {
    if (request.outcome !== undefined || request.endpoint === undefined) return;
    request.inside = undefined;
    service.stats.completions++;
    const histogram = service.stats.ttfb.get(request.endpoint) ?? new Histogram();
    histogram.add(this.#clock.now() - request.since);
    service.stats.ttfb.set(request.endpoint, histogram);
    if (request.bodyMs === 0) this.#end(service, request, 'answered');
    else this.#clock.after(request.bodyMs, () => this.#end(service, request, 'answered'));
  }

  #end(service: EdgeService, request: FakeRequest, outcome: Outcome): void {
    if (request.outcome !== undefined) return;
    request.outcome = outcome;
    request.endedAt = this.#clock.now();
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
