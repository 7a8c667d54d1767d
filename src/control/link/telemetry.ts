import type { EndpointCondition } from '../../model/balancing.ts';
import type { EndpointReport, ServiceReport } from '../../model/link.ts';
import { bucketMiddle, countOf, type SparseCounts } from '../../util/histogram.ts';
import { EndpointLatency } from './endpoint-latency.ts';
import { ServiceWindow } from './window.ts';

/** What is in flight on one replica. */
export interface ReplicaLoad {
  inFlight: number;
  /** Age of the oldest request in flight that is activity, ms; 0 without one. */
  oldestMs: number;
}

/** What one edge last said of one service. */
interface EdgeView {
  held: number;
  heldBytes: number;
  inFlight: number;
  /** Of these, those that may wake the service. */
  active: number;
  /** End of the last activity that is known, the clock's ms. */
  lastActivityAt: number;
  /** The request that this goes by. */
  lastRequest: string | undefined;
  /** Something was going on when it last spoke. */
  busy: boolean;
  /** Ages of requests without a first byte on endpoints past their warm-up, and of those that wait for a slot. */
  waiting: SparseCounts[];
  /** Of these, those that wait for a slot. */
  queued: number;
  /** Answers of each endpoint since it was first seen. */
  answers: Map<string, number>;
  endpoints: Map<string, ReplicaLoad>;
  conditions: Map<string, EndpointCondition>;
}

/** A request that was activity, and its end, the clock's ms. */
interface LastRequest {
  at: number;
  request: string;
}

/** Shared until an edge says something: most of many services sleep. */
const NOTHING = new Map<string, EdgeView>();

/** Which endpoints count, at the time of a report. */
interface EndpointFacts {
  /** Endpoints that may get requests. */
  ready: number;
  /** Whether the endpoint is past its warm-up. */
  isWarm: (endpoint: string) => boolean;
}

/** What the edges say of one service: now, and over the last minutes. */
export class Telemetry {
  readonly window: ServiceWindow;
  #edges = NOTHING;
  /** Made for the first answer: most of many services sleep. */
  #latency: EndpointLatency | undefined;
  /** Since when requests have been held without a break, the clock's ms; undefined while none is. */
  #heldSince: number | undefined;
  /** End of the last activity on edges that are gone. */
  #goneActivityAt = Number.NEGATIVE_INFINITY;
  /** … and the last request that any of them told of. */
  #goneLast: LastRequest | undefined;

  /** @param keepMs how far back the window reaches */
  constructor(keepMs: number) {
    this.window = new ServiceWindow(keepMs);
  }

  /** Requests wait, or wait no more. */
  demand(edge: string, now: number, held: number, inFlight: number): void {
    const view = this.#view(edge);
    // Whoever waited has just been let go, or is there still: activity, up to now.
    if (held > 0 || view.held > 0) view.lastActivityAt = now;
    view.held = held;
    view.inFlight = inFlight;
    view.active = inFlight;
    view.busy = view.busy || held > 0 || inFlight > 0;
    this.#noteHeld(now);
  }

  /** One report; undefined where the edge has nothing to say of the service. */
  report(edge: string, now: number, spanMs: number, report: ServiceReport | undefined, facts: EndpointFacts): void {
    const view = this.#view(edge);
    const warm = (report?.endpoints ?? []).filter(({ endpoint }) => facts.isWarm(endpoint));
    if (report === undefined) {
      view.busy = false;
      view.held = 0;
      view.heldBytes = 0;
      view.inFlight = 0;
      view.active = 0;
      view.waiting = [];
      view.queued = 0;
      view.endpoints.clear();
      view.answers.clear();
      view.conditions.clear();
    } else {
      view.held = report.held;
      view.heldBytes = report.heldBytes;
      view.inFlight = report.inFlight;
      view.active = report.inFlight - report.passive;
      view.busy = report.idleForMs === 0;
      view.lastActivityAt = Math.max(view.lastActivityAt, now - report.idleForMs);
      view.lastRequest = report.lastRequest ?? view.lastRequest;
      view.waiting = [...warm.map(({ waiting }) => waiting), report.queued];
      view.queued = countOf(report.queued);
      countAnswers(view.answers, report.endpoints);
      view.endpoints = new Map(
        report.endpoints.map(({ endpoint, inFlight, oldestMs = 0 }) => [endpoint, { inFlight, oldestMs }]),
      );
      view.conditions.clear();
      for (const { endpoint, condition } of report.endpoints) if (condition) view.conditions.set(endpoint, condition);
    }
    this.#noteHeld(now);
    if (report?.endpoints.some(({ ttfb }) => ttfb.length > 0)) {
      this.#latency ??= new EndpointLatency();
      this.#latency.add(now, report.endpoints);
    }
    // A service that sleeps through a silent second leaves nothing to remember.
    if (report === undefined && facts.ready === 0) return;
    this.window.add({
      at: now,
      edge,
      spanMs,
      arrivals: report?.arrivals ?? 0,
      completions: report?.completions ?? 0,
      good: report?.good ?? 0,
      shed: report?.shed ?? 0,
      errors: (report?.errors ?? 0) + (report?.resets ?? 0),
      loadMs: report?.loadMs ?? 0,
      ttfb: warm.map(({ ttfb }) => ttfb),
      allTtfb: report?.ttfb ?? [],
    });
  }

  /** An acknowledged cordon tells when the last activity ended. */
  acknowledged(edge: string, now: number, idleForMs: number): void {
    const view = this.#view(edge);
    view.lastActivityAt = Math.max(view.lastActivityAt, now - idleForMs);
    view.busy = idleForMs === 0;
  }

  /** The edge is gone, with all that was held and in flight on it: that was activity up to now. */
  forget(edge: string, now: number): void {
    const view = this.#edges.get(edge);
    if (view === undefined) return;
    const until = view.busy || view.held > 0 ? now : view.lastActivityAt;
    if (view.lastRequest !== undefined && until >= (this.#goneLast?.at ?? until))
      this.#goneLast = { at: until, request: view.lastRequest };
    this.#goneActivityAt = Math.max(this.#goneActivityAt, until);
    this.#edges.delete(edge);
    this.#noteHeld(now);
  }

  get held(): number {
    return this.#sum(({ held }) => held);
  }

  /** For how long requests have been held without a break, ms; 0 while none is. */
  heldForMs(now: number): number {
    return this.#heldSince === undefined ? 0 : now - this.#heldSince;
  }

  /** p95 of the time to first byte of an endpoint over the last seconds, ms; undefined without data. */
  p95Of(endpoint: string, now: number): number | undefined {
    return this.#latency?.quantile(now, endpoint, 0.95);
  }

  get heldBytes(): number {
    return this.#sum(({ heldBytes }) => heldBytes);
  }

  get inFlight(): number {
    return this.#sum(({ inFlight }) => inFlight);
  }

  /** Of these, requests that may wake the service: only they are a reason for replicas. */
  get active(): number {
    return this.#sum(({ active }) => active);
  }

  /** What is in flight on one endpoint. */
  loadOf(endpoint: string): ReplicaLoad {
    const load = { inFlight: 0, oldestMs: 0 };
    for (const { endpoints } of this.#edges.values()) {
      const { inFlight = 0, oldestMs = 0 } = endpoints.get(endpoint) ?? {};
      load.inFlight += inFlight;
      load.oldestMs = Math.max(load.oldestMs, oldestMs);
    }
    return load;
  }

  /** What keeps requests away from an endpoint, as any edge sees it. */
  conditionOf(endpoint: string): EndpointCondition | undefined {
    for (const { conditions } of this.#edges.values()) {
      const condition = conditions.get(endpoint);
      if (condition !== undefined) return condition;
    }
    return undefined;
  }

  /** Whether every edge that knows the endpoint finds it unhealthy. */
  isUnhealthy(endpoint: string): boolean {
    let isKnown = false;
    for (const { endpoints, conditions } of this.#edges.values()) {
      if (!endpoints.has(endpoint)) continue;
      if (conditions.get(endpoint) !== 'unhealthy') return false;
      isKnown = true;
    }
    return isKnown;
  }

  /** Whether anything was held or in flight when an edge last spoke. */
  get busy(): boolean {
    return [...this.#edges.values()].some(({ busy, held }) => busy || held > 0);
  }

  /** Whether the last word of every edge was that there is nothing to say. */
  get silent(): boolean {
    for (const { busy, held, inFlight, endpoints } of this.#edges.values()) {
      if (busy || held > 0 || inFlight > 0 || endpoints.size > 0) return false;
    }
    return true;
  }

  /** End of the last activity on any edge that there is or was, the clock's ms; −∞ when there was none. */
  get lastActivityAt(): number {
    return Math.max(this.#goneActivityAt, ...[...this.#edges.values()].map(({ lastActivityAt }) => lastActivityAt));
  }

  /** The last request that was activity, of any edge; undefined before the first. */
  get last(): LastRequest | undefined {
    let last = this.#goneLast;
    for (const { lastActivityAt: at, lastRequest: request } of this.#edges.values()) {
      if (request !== undefined && at >= (last?.at ?? at)) last = { at, request };
    }
    return last;
  }

  /** Requests that wait for a slot of a warm service. */
  get queued(): number {
    return this.#sum(({ queued }) => queued);
  }

  /** Answers that an endpoint has begun since it was first seen. */
  answersOf(endpoint: string): number {
    return this.#sum(({ answers }) => answers.get(endpoint) ?? 0);
  }

  /** Age of the oldest request that still waits for its first byte or a slot, ms; 0 without one. */
  get oldestMs(): number {
    let oldest = 0;
    for (const ages of this.waiting) {
      if (ages.length >= 2) oldest = Math.max(oldest, bucketMiddle(ages[ages.length - 2] as number));
    }
    return oldest;
  }

  /**
   * Ages of requests without a first byte on endpoints past their warm-up, and of those that wait for a slot, as each
   * edge last told of them.
   */
  get waiting(): SparseCounts[] {
    return [...this.#edges.values()].flatMap(({ waiting }) => waiting);
  }

  #noteHeld(now: number): void {
    this.#heldSince = this.held === 0 ? undefined : (this.#heldSince ?? now);
  }

  #view(edge: string): EdgeView {
    let view = this.#edges.get(edge);
    if (view === undefined) {
      view = {
        held: 0,
        heldBytes: 0,
        inFlight: 0,
        active: 0,
        lastActivityAt: Number.NEGATIVE_INFINITY,
        lastRequest: undefined,
        busy: false,
        waiting: [],
        queued: 0,
        answers: new Map(),
        endpoints: new Map(),
        conditions: new Map(),
      };
      if (this.#edges === NOTHING) this.#edges = new Map();
      this.#edges.set(edge, view);
    }
    return view;
  }

  #sum(of: (view: EdgeView) => number): number {
    let sum = 0;
    for (const view of this.#edges.values()) sum += of(view);
    return sum;
  }
}

/** Adds to what each endpoint has answered, and forgets those that are gone. */
function countAnswers(answers: Map<string, number>, endpoints: readonly EndpointReport[]): void {
  for (const id of answers.keys()) if (!endpoints.some(({ endpoint }) => endpoint === id)) answers.delete(id);
  for (const { endpoint, answers: more } of endpoints) answers.set(endpoint, (answers.get(endpoint) ?? 0) + more);
}
