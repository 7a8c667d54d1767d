import type { EndpointCondition } from '../model/balancing.ts';
import type { ServiceReport } from '../model/link.ts';
import type { SparseCounts } from '../util/histogram.ts';
import { ServiceWindow } from './service-window.ts';

/** What one edge last said of one service. */
interface EdgeView {
  held: number;
  heldBytes: number;
  inFlight: number;
  /** End of the last activity that is known, the clock's ms. */
  lastActivityAt: number;
  /** Something was going on when it last spoke. */
  busy: boolean;
  /** Ages of requests without a first byte on endpoints past their warm-up. */
  waiting: SparseCounts[];
  endpoints: Map<string, number>;
  conditions: Map<string, EndpointCondition>;
}

/** Shared until an edge says something: most of many services sleep. */
const NOTHING = new Map<string, EdgeView>();

/** Which endpoints count, at the time of a report. */
export interface EndpointFacts {
  /** Endpoints that may get requests. */
  ready: number;
  /** Whether the endpoint is past its warm-up. */
  isWarm: (endpoint: string) => boolean;
}

/** What the edges say of one service: now, and over the last minutes. */
export class Telemetry {
  readonly window: ServiceWindow;
  #edges = NOTHING;
  /** End of the last activity on edges that are gone. */
  #goneActivityAt = Number.NEGATIVE_INFINITY;

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
    view.busy = view.busy || held > 0 || inFlight > 0;
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
      view.waiting = [];
      view.endpoints.clear();
      view.conditions.clear();
    } else {
      view.held = report.held;
      view.heldBytes = report.heldBytes;
      view.inFlight = report.inFlight;
      view.busy = report.idleForMs === 0;
      view.lastActivityAt = Math.max(view.lastActivityAt, now - report.idleForMs);
      view.waiting = warm.map(({ waiting }) => waiting);
      view.endpoints = new Map(report.endpoints.map(({ endpoint, inFlight }) => [endpoint, inFlight]));
      view.conditions.clear();
      for (const { endpoint, condition } of report.endpoints) if (condition) view.conditions.set(endpoint, condition);
    }
    // A service that sleeps through a silent second leaves nothing to remember.
    if (report === undefined && facts.ready === 0) return;
    this.window.add({
      at: now,
      edge,
      spanMs,
      arrivals: report?.arrivals ?? 0,
      completions: report?.completions ?? 0,
      ttfb: warm.map(({ ttfb }) => ttfb),
      allTtfb: report?.ttfb ?? [],
      requests: view.inFlight + view.held,
      ready: facts.ready,
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
    this.#goneActivityAt = Math.max(this.#goneActivityAt, until);
    this.#edges.delete(edge);
  }

  get held(): number {
    return this.#sum(({ held }) => held);
  }

  get heldBytes(): number {
    return this.#sum(({ heldBytes }) => heldBytes);
  }

  get inFlight(): number {
    return this.#sum(({ inFlight }) => inFlight);
  }

  /** Requests in flight on one endpoint. */
  inFlightOn(endpoint: string): number {
    return this.#sum(({ endpoints }) => endpoints.get(endpoint) ?? 0);
  }

  /** What keeps requests away from an endpoint, as any edge sees it. */
  conditionOf(endpoint: string): EndpointCondition | undefined {
    for (const { conditions } of this.#edges.values()) {
      const condition = conditions.get(endpoint);
      if (condition !== undefined) return condition;
    }
    return undefined;
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

  /** Ages of requests without a first byte on endpoints past their warm-up, as each edge last told of each of them. */
  get waiting(): SparseCounts[] {
    return [...this.#edges.values()].flatMap(({ waiting }) => waiting);
  }

  #view(edge: string): EdgeView {
    let view = this.#edges.get(edge);
    if (view === undefined) {
      view = {
        held: 0,
        heldBytes: 0,
        inFlight: 0,
        lastActivityAt: Number.NEGATIVE_INFINITY,
        busy: false,
        waiting: [],
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
