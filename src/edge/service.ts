import type { EndpointReport, ServiceReport } from '../model/link.ts';
import type { RefusalCode } from '../model/refusals.ts';
import type { EndpointView, ServicePolicy, ServiceState, StartPhases } from '../model/snapshot.ts';
import { Histogram } from '../util/histogram.ts';
import { Balancer } from './balancer.ts';
import type { EdgeContext } from './context.ts';
import { Endpoint } from './endpoint.ts';
import type { Exchange } from './exchange.ts';
import { HoldQueue } from './hold-queue.ts';
import { Release } from './release.ts';
import { RetryBudget } from './retry-budget.ts';
import { Statistics } from './statistics.ts';
import type { ProgressStream } from './waiting-page.ts';
import { type CompiledWakeRule, compileWakeRules } from './wake-rules.ts';

/** How long an endpoint whose connect failed is passed over, unless control says something sooner, ms. */
const SUSPECT_MS = 1000;
/** Changes of the number held are told at most this often, ms; the first is told at once. */
const DEMAND_EVERY_MS = 10;

/** When the start that made a service ready reached each phase, in the edge's clock. */
export interface StartTimes {
  permit: number;
  started: number;
  ready: number;
}

/** The data plane's side of one service: its endpoints, who waits, and its figures. Lives across snapshots. */
export class Service {
  readonly name: string;
  readonly statistics = new Statistics();
  readonly queue = new HoldQueue();
  readonly retryBudget = new RetryBudget();
  /** Open streams of waiting pages. */
  readonly watchers = new Set<ProgressStream>();
  policy: ServicePolicy;
  state: ServiceState;
  wakeRules: CompiledWakeRule[];
  /** Body bytes of held requests, reserved ones included. */
  heldBytes = 0;
  /** Phases of the last start that became ready. */
  lastStart: StartTimes | undefined;
  /** When blocked starts may be tried again, the clock's ms; 0 = not blocked. */
  blockedUntil = 0;
  /** End of the last exchange, the clock's ms. */
  lastActivity: number;
  /** By identity, in whatever state. */
  readonly #endpoints = new Map<string, Endpoint>();
  /** Those that may get requests. */
  #ready: Endpoint[] = [];
  readonly #context: EdgeContext;
  readonly #balancer = new Balancer();
  readonly #release: Release;
  #demandSent = 0;
  #demandAt = Number.NEGATIVE_INFINITY;
  #demandTimer = false;

  constructor(context: EdgeContext, policy: ServicePolicy) {
    this.#context = context;
    this.name = policy.name;
    this.policy = policy;
    this.wakeRules = compileWakeRules(policy.wake);
    this.lastActivity = context.clock.now();
    this.#release = new Release(this, context.clock);
    this.state = {
      service: policy.name,
      endpoints: [],
      holdTimeoutMs: 30_000,
      starting: false,
      expectedStartMs: null,
      blocked: null,
      failures: 0,
    };
  }

  /** Takes over a new configuration; state and connections stay. */
  configure(policy: ServicePolicy): void {
    this.policy = policy;
    this.wakeRules = compileWakeRules(policy.wake);
  }

  get hasEndpoints(): boolean {
    return this.#endpoints.size > 0;
  }

  /** Whether anything may be dispatched, now or when a slot is free. */
  get isReady(): boolean {
    return this.#ready.length > 0;
  }

  /** An endpoint for a request of now; undefined when it has to wait, or there is none. */
  pick(avoid: Endpoint | undefined): Endpoint | undefined {
    const { policy } = this;
    const now = this.#context.clock.now();
    const choice = { endpoints: this.#ready, balance: policy.balance, concurrency: policy.concurrency, now, avoid };
    const picked = this.#balancer.pick(choice);
    if (picked !== undefined || policy.wakeable || this.#ready.length === 0) return picked;
    // All in doubt and nobody can start another: better a try than a refusal.
    return this.#balancer.pick({ ...choice, now: Number.POSITIVE_INFINITY });
  }

  /** Swaps in what control says of the endpoints, acknowledges cordons, and lets go or turns away who waits. */
  apply(state: ServiceState, version: number): void {
    const before = this.state;
    this.state = state;
    const now = this.#context.clock.now();
    this.blockedUntil = state.blocked === null ? 0 : now + state.blocked.retryAfterMs;
    const wasReady = this.#ready.length;
    this.#applyEndpoints(state.endpoints, version, now);
    if (this.#ready.length > 0) {
      this.#release.begin(Math.max(1, this.#ready.length - wasReady));
    } else if (state.failures > before.failures) {
      this.rejectHeld('START_FAILED');
    } else if (!this.policy.wakeable && !this.hasEndpoints) {
      this.rejectHeld('NO_ENDPOINT');
    }
    for (const watcher of this.watchers) watcher.update();
  }

  /** A connect to the endpoint failed: others are tried, and control is told to look. */
  suspect(endpoint: Endpoint, cause: 'refused' | 'timeout'): void {
    const { clock } = this.#context;
    endpoint.suspectUntil = clock.now() + SUSPECT_MS;
    endpoint.closeIdle();
    this.#context.post({ type: 'suspect', service: this.name, endpoint: endpoint.id, cause });
    clock.after(SUSPECT_MS, () => this.#release.pump());
  }

  /** Puts a request in the queue; it is told by `release` or `refuse`. `front`: it was dispatched before. */
  hold(exchange: Exchange, front: boolean): void {
    if (front) this.queue.unshift(exchange);
    else this.queue.push(exchange);
    this.#tellDemand();
  }

  /** A held request left the queue: dispatched, refused or aborted. */
  unhold(exchange: Exchange): void {
    this.queue.remove(exchange);
    this.#tellDemand();
  }

  /** A request got its first byte: a paced release goes on faster. */
  onFirstByte(): void {
    if (this.queue.size > 0) this.#release.onFirstByte();
  }

  /** An exchange left the endpoint. */
  onExchangeEnd(endpoint: Endpoint): void {
    this.lastActivity = this.#context.clock.now();
    if (this.queue.size > 0) this.#release.pump();
    if (endpoint.cordonVersion !== 0) this.#tellDrained(endpoint, this.lastActivity);
  }

  /** Answers everything that waits, with `code`. */
  rejectHeld(code: RefusalCode): void {
    for (let each = this.queue.first; each !== undefined; each = this.queue.first) each.refuse(code);
  }

  /** Closes what is idle and old; called once a second. */
  sweep(now: number): void {
    for (const endpoint of this.#endpoints.values()) {
      endpoint.expireIdle(now);
      if (endpoint.cordonVersion !== 0) this.#tellDrained(endpoint, now);
    }
  }

  /** The service left the configuration: what is in flight may end, nothing new comes. */
  retire(): void {
    for (const watcher of this.watchers) watcher.update();
    this.#ready = [];
    for (const endpoint of this.#endpoints.values()) {
      endpoint.state = 'cordoned';
      endpoint.closeIdle();
    }
  }

  /** Ends everything at once. */
  close(): void {
    for (const watcher of this.watchers) watcher.close();
    for (const endpoint of this.#endpoints.values()) this.#closeEndpoint(endpoint);
  }

  /** The service's part of a report; undefined when there is nothing to say. */
  report(now: number): ServiceReport | undefined {
    if (!this.hasEndpoints && this.queue.size === 0 && this.statistics.quiet) return undefined;
    const endpoints: EndpointReport[] = [];
    const waiting = new Histogram();
    let inFlight = 0;
    for (const endpoint of this.#endpoints.values()) {
      inFlight += endpoint.inFlight;
      endpoints.push({
        endpoint: endpoint.id,
        inFlight: endpoint.inFlight,
        completions: endpoint.completions,
        ttfb: endpoint.ttfb?.sparse() ?? [],
      });
      endpoint.completions = 0;
      endpoint.ttfb?.reset();
      for (let each = endpoint.first; each !== undefined; each = each.nextInFlight) {
        if (each.awaitsFirstByte) waiting.add(now - each.latencySince);
      }
    }
    return {
      service: this.name,
      ...this.statistics.take(),
      inFlight,
      held: this.queue.size,
      heldBytes: this.heldBytes,
      idleForMs: this.#idleFor(now),
      waiting: waiting.sparse(),
      endpoints,
    };
  }

  #applyEndpoints(views: readonly EndpointView[], version: number, now: number): void {
    const listed = new Set<string>();
    const ready: Endpoint[] = [];
    for (const view of views) {
      listed.add(view.id);
      let endpoint = this.#endpoints.get(view.id);
      if (endpoint === undefined) {
        endpoint = this.#context.takeProbed(view) ?? new Endpoint(view);
        if (this.policy.engine === 'http-proxy') endpoint.engine = this.#context.httpProxyEngine();
        this.#endpoints.set(view.id, endpoint);
        if (view.start !== null) this.lastStart = startTimes(view.start, now);
      }
      endpoint.weight = view.weight;
      this.#applyState(endpoint, view, version, now);
      if (view.state === 'ready') ready.push(endpoint);
    }
    for (const [id, endpoint] of this.#endpoints) {
      if (!listed.has(id) && endpoint.state !== 'closing') {
        // Gone from the snapshot: nothing new goes there, what is in flight may end by itself.
        endpoint.state = 'cordoned';
        endpoint.closeIdle();
      }
      if (!listed.has(id) && endpoint.inFlight === 0) {
        this.#closeEndpoint(endpoint);
        this.#endpoints.delete(id);
      }
    }
    this.#ready = ready;
  }

  #applyState(endpoint: Endpoint, view: EndpointView, version: number, now: number): void {
    endpoint.state = view.state;
    if (view.state === 'ready') {
      endpoint.cordonVersion = 0;
      endpoint.suspectUntil = 0;
      return;
    }
    if (endpoint.cordonVersion === 0) {
      endpoint.cordonVersion = version;
      endpoint.drainedSent = false;
      endpoint.closeIdle();
      const { inFlight } = endpoint;
      const quiet = this.#quietOn(endpoint, now);
      const idleForMs = this.#idleFor(now);
      this.#context.post({
        type: 'ack',
        version,
        service: this.name,
        endpoint: endpoint.id,
        inFlight,
        quiet,
        idleForMs,
      });
    }
    if (view.state === 'closing') this.#closeEndpoint(endpoint);
  }

  /** Ends what is in flight on an endpoint, and its connections. */
  #closeEndpoint(endpoint: Endpoint): void {
    endpoint.closeIdle();
    for (let each = endpoint.first; each !== undefined; each = endpoint.first) each.cutOff();
    for (const connection of endpoint.connections) connection.destroy();
  }

  #tellDrained(endpoint: Endpoint, now: number): void {
    if (endpoint.drainedSent || endpoint.state === 'ready') return;
    const quiet = this.#quietOn(endpoint, now);
    if (endpoint.inFlight > quiet) return;
    endpoint.drainedSent = true;
    const version = endpoint.cordonVersion;
    this.#context.post({ type: 'drained', version, service: this.name, endpoint: endpoint.id, quiet });
  }

  #quietOn(endpoint: Endpoint, now: number): number {
    let quiet = 0;
    for (let each = endpoint.first; each !== undefined; each = each.nextInFlight) {
      if (each.quietSince(now, this.policy.timeouts.streamMs) !== undefined) quiet++;
    }
    return quiet;
  }

  /** Since when there is no activity: what is held or moves is activity, a stream without bytes for long is not. */
  #idleFor(now: number): number {
    if (this.queue.size > 0) return 0;
    let since = this.lastActivity;
    for (const endpoint of this.#endpoints.values()) {
      for (let each = endpoint.first; each !== undefined; each = each.nextInFlight) {
        const quietSince = each.quietSince(now, this.policy.timeouts.streamMs);
        if (quietSince === undefined) return 0;
        since = Math.max(since, quietSince);
      }
    }
    return Math.max(0, now - since);
  }

  #tellDemand(): void {
    if (!this.policy.wakeable || this.#demandTimer) return;
    const { clock } = this.#context;
    const held = this.queue.size;
    const first = held > 0 && this.#demandSent === 0;
    const wait = first ? 0 : this.#demandAt + DEMAND_EVERY_MS - clock.now();
    if (wait <= 0) {
      this.#sendDemand();
      return;
    }
    this.#demandTimer = true;
    clock.after(wait, () => {
      this.#demandTimer = false;
      if (this.queue.size !== this.#demandSent) this.#sendDemand();
    });
  }

  #sendDemand(): void {
    let inFlight = 0;
    for (const endpoint of this.#endpoints.values()) inFlight += endpoint.inFlight;
    this.#demandSent = this.queue.size;
    this.#demandAt = this.#context.clock.now();
    this.#context.post({ type: 'demand', service: this.name, held: this.queue.size, inFlight });
  }
}

function startTimes(phases: StartPhases, now: number): StartTimes {
  return { permit: now - phases.permitAgo, started: now - phases.startedAgo, ready: now - phases.readyAgo };
}
