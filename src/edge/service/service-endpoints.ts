import type { EndpointView, ServicePolicy } from '../../model/snapshot.ts';
import { Eligibility } from '../balance/eligibility.ts';
import { StickyCookie } from '../balance/sticky.ts';
import { HealthChecks, lastResort } from '../health/health-checks.ts';
import { type ColdStart, coldStart } from '../hold/cold-start.ts';
import { shareSlots } from '../hold/slot-client.ts';
import { Endpoint, type EndpointHealth, type EndpointListener } from '../upstream/endpoint.ts';
import { inactiveOf } from '../upstream/in-flight.ts';
import { type Transport, transportOf } from '../upstream/transport.ts';
import type { ServiceContext } from './context.ts';

/** Most of many services sleep, so all of them share one empty map until an endpoint comes. */
const NONE = new Map<string, Endpoint>();

/** The service whose endpoints a set holds. */
export interface EndpointOwner extends EndpointListener {
  readonly name: string;
  readonly policy: ServicePolicy;
  /** Returns for how long the service has been idle, ms. */
  idleForMs(now: number): number;
  /** The endpoint left the snapshots while something is in flight on it. */
  onGone(endpoint: Endpoint): void;
  /** The health of an endpoint changed, so others may get the requests now. */
  onHealthChanged(): void;
}

/**
 * Holds the endpoints of one service: those in its last snapshot, and older ones until nothing is in flight on them.
 * Decides which of them get requests, and tells control when a cordoned one gets none and when it is drained.
 */
export class ServiceEndpoints {
  /** Those that control has declared ready. */
  ready: readonly Endpoint[] = [];
  /** Decides which of the ready ones get requests now. */
  readonly eligibility = new Eligibility();
  /**
   * When the service was last made ready, having had no endpoint before. Of a start that others made, only its end is
   * known.
   */
  lastStart: ColdStart | undefined;
  /** Undefined where clients are not to come back to their endpoint. */
  sticky: StickyCookie | undefined;
  /** How connections are opened; undefined: as plain sockets. */
  transport: Transport | undefined;
  readonly #owner: EndpointOwner;
  readonly #context: ServiceContext;
  /** All endpoints by id, whatever their state. */
  #all = NONE;
  #health: HealthChecks | undefined;

  constructor(owner: EndpointOwner, context: ServiceContext) {
    this.#owner = owner;
    this.#context = context;
    this.sticky = stickyOf(owner.policy);
    this.transport = this.#transport();
  }

  get size(): number {
    return this.#all.size;
  }

  /** Iterates over all endpoints, whatever their state. */
  [Symbol.iterator](): Iterator<Endpoint> {
    return this.#all.values();
  }

  get(id: string): Endpoint | undefined {
    return this.#all.get(id);
  }

  /** Number of requests in flight on all endpoints. */
  get inFlight(): number {
    let inFlight = 0;
    for (const endpoint of this.#all.values()) inFlight += endpoint.inFlight;
    return inFlight;
  }

  /** Number of requests in flight that may not keep the service awake. */
  get passive(): number {
    let passive = 0;
    for (const endpoint of this.#all.values()) passive += endpoint.passive;
    return passive;
  }

  /** Takes over a changed policy of the service. */
  configure(now: number): void {
    this.sticky = stickyOf(this.#owner.policy);
    this.transport = this.#transport();
    for (const endpoint of this.#all.values()) {
      endpoint.connectThrough(this.transport);
      endpoint.limits = this.#owner.policy.limits;
    }
    this.#admit(now);
  }

  /**
   * Takes over a snapshot. First it settles who gets requests, then it ends what has to end, because that may be sent
   * to another endpoint at once.
   * @param version of the snapshot; cordons are acknowledged with it
   */
  apply(views: readonly EndpointView[], version: number, now: number): void {
    const listed = new Map<Endpoint, EndpointView>();
    const ready: Endpoint[] = [];
    const isFirst = this.size === 0;
    const wasReady = this.ready.length > 0;
    for (const view of views) {
      let endpoint = this.#all.get(view.id);
      if (endpoint === undefined) {
        endpoint = this.#meet(view);
        if (!isFirst) endpoint.freshSince = now;
        if (!wasReady && ready.length === 0 && view.state === 'ready') this.lastStart = coldStart(view.start, now);
      }
      listed.set(endpoint, view);
      endpoint.describe(view);
      shareSlots(endpoint, this.#owner.policy);
      endpoint.state = view.state;
      if (view.state === 'ready') ready.push(endpoint);
    }
    const gone = this.#dropUnlisted(listed);
    if (ready.some((endpoint) => !this.ready.includes(endpoint))) {
      for (const endpoint of this.#all.values()) endpoint.timeAnew(now);
    }
    this.ready = ready;
    this.#admit(now);
    for (const endpoint of gone) {
      this.#owner.onGone(endpoint);
      endpoint.sendElsewhere();
    }
    for (const [endpoint, view] of listed) this.#applyState(endpoint, view, version, now);
  }

  /** Decides anew which endpoints get requests. */
  refresh(now: number): void {
    this.eligibility.update(this.ready, this.#owner.policy, now);
    const { ledUntil } = this.#context;
    if (ledUntil < this.eligibility.recheckAt && this.ready.some(isOurs)) this.eligibility.recheckAt = ledUntil;
  }

  /** Another control plane leads this edge: cordons are acknowledged to it, too, and nothing is owed to the one before. */
  follow(): void {
    for (const endpoint of this.#all.values()) {
      endpoint.uncordon();
      endpoint.owedSlots = 0;
    }
  }

  /** Takes the replicas of ours out of service: nobody has led this edge for long. @returns whether any were in it */
  cutOff(now: number): boolean {
    const others = this.ready.filter((endpoint) => !endpoint.isOurs);
    if (others.length === this.ready.length) return false;
    this.ready = others;
    this.#admit(now);
    return true;
  }

  /** Takes them in again: nothing that was said since is missing. @returns how many came back */
  restore(now: number): number {
    const before = this.ready.length;
    this.ready = [...this.#all.values()].filter(({ state }) => state === 'ready');
    if (this.ready.length > before) this.#admit(now);
    return this.ready.length - before;
  }

  /** A request left the endpoint. */
  onLeft(endpoint: Endpoint, now: number): void {
    if (endpoint.isCordoned) this.#tellDrained(endpoint, now);
    if (endpoint.state === 'gone' && endpoint.inFlight === 0) this.#forget(endpoint);
  }

  /** Closes connections that have been idle for long. Called once a second. */
  sweep(now: number): void {
    // Of 10,000 services that sleep, each turn would leave an iterator behind.
    if (this.#all.size === 0) return;
    for (const endpoint of this.#all.values()) {
      endpoint.expireIdle(now);
      if (endpoint.isCordoned) this.#tellDrained(endpoint, now);
    }
  }

  /** Closes all idle connections. @returns whether there were any */
  closeIdle(): boolean {
    let closed = false;
    for (const endpoint of this.#all.values()) {
      closed ||= endpoint.idleCount > 0;
      endpoint.closeIdle();
    }
    return closed;
  }

  /** Sends nothing new to any of them, and lets what is in flight end. */
  retire(now: number): void {
    for (const endpoint of this.#all.values()) {
      if (endpoint.state === 'ready') endpoint.state = 'gone';
      endpoint.closeIdle();
    }
    this.ready = [];
    this.#admit(now);
  }

  /** Ends everything that is in flight, and all connections. */
  close(): void {
    this.#health?.close();
    for (const endpoint of this.#all.values()) endpoint.close();
  }

  #transport(): Transport | undefined {
    const { engine, upstream, isTcp } = this.#owner.policy;
    // A session of TCP writes its own header, as it alone knows where its client came to.
    if (isTcp === true) return undefined;
    const through = engine === 'http-proxy' ? this.#context.httpProxyEngine() : undefined;
    return transportOf(upstream, through, this.transport);
  }

  /** Adds an endpoint that no snapshot named before. */
  #meet(view: EndpointView): Endpoint {
    const endpoint = this.#context.takeProbed(view) ?? new Endpoint(view);
    endpoint.connectThrough(this.transport);
    endpoint.limits = this.#owner.policy.limits;
    endpoint.listener = this.#owner;
    if (this.#all === NONE) this.#all = new Map();
    this.#all.set(view.id, endpoint);
    return endpoint;
  }

  /**
   * Drops the endpoints that the snapshot does not list.
   * @returns those that have to stay until what is in flight on them ends
   */
  #dropUnlisted(listed: ReadonlyMap<Endpoint, unknown>): Endpoint[] {
    const gone: Endpoint[] = [];
    for (const endpoint of this.#all.values()) {
      if (listed.has(endpoint)) continue;
      endpoint.state = 'gone';
      endpoint.closeIdle();
      if (endpoint.inFlight === 0) this.#forget(endpoint);
      else gone.push(endpoint);
    }
    return gone;
  }

  #forget(endpoint: Endpoint): void {
    endpoint.close();
    this.#all.delete(endpoint.id);
  }

  /** The ready endpoints or the policy changed: brings health checks, cookies and eligibility in line. */
  #admit(now: number): void {
    const { health, healthHost } = this.#owner.policy;
    if (health === undefined) {
      this.#health?.close();
      this.#health = undefined;
    } else {
      const { deadlines, checkGate: gate } = this.#context;
      const onChange = this.#onHealth.bind(this);
      this.#health ??= new HealthChecks({ deadlines, gate, onChange }, health, healthHost);
      this.#health.configure(health, healthHost);
      this.#health.follow(this.ready);
    }
    this.sticky?.follow(this.ready);
    this.refresh(now);
  }

  #onHealth(endpoint: Endpoint, before: EndpointHealth, reason: string): void {
    const { clock, logger } = this.#context;
    const { isHealthy } = endpoint;
    const now = clock.now();
    if (isHealthy) endpoint.freshSince = now;
    else endpoint.closeIdle();
    const wereObjecting = this.eligibility.objecting;
    this.refresh(now);
    const fields = { service: this.#owner.name, endpoint: endpoint.id, reason };
    if (isHealthy) logger.info(fields, `endpoint is healthy now: ${reason}`);
    else if (before === 'healthy') logger.warn(fields, `endpoint is unhealthy now: ${reason}`);
    if (this.eligibility.objecting && !wereObjecting) logger.warn(fields, lastResort(reason));
    this.#owner.onHealthChanged();
  }

  #applyState(endpoint: Endpoint, view: EndpointView, version: number, now: number): void {
    if (view.state === 'ready') {
      endpoint.uncordon();
      // Control says explicitly when a replica of ours can be trusted again.
      if (!endpoint.isOurs) endpoint.suspectUntil = 0;
      return;
    }
    if (!endpoint.isCordoned) this.#cordon(endpoint, version, now);
    if (view.state === 'closing') endpoint.close();
  }

  /** Acknowledges a cordon: nothing is sent to the endpoint until a later snapshot declares it ready. */
  #cordon(endpoint: Endpoint, version: number, now: number): void {
    endpoint.cordon(version);
    const { name, policy } = this.#owner;
    this.#context.post({
      type: 'ack',
      version,
      service: name,
      endpoint: endpoint.id,
      inFlight: endpoint.inFlight,
      ...inactiveOf(endpoint.first, now, policy.timeouts.streamMs),
      idleForMs: this.#owner.idleForMs(now),
    });
  }

  #tellDrained(endpoint: Endpoint, now: number): void {
    if (endpoint.isDrained || endpoint.state === 'ready') return;
    const { name, policy } = this.#owner;
    const { quiet } = inactiveOf(endpoint.first, now, policy.timeouts.streamMs);
    if (endpoint.inFlight > quiet) return;
    endpoint.isDrained = true;
    const version = endpoint.cordonVersion;
    this.#context.post({ type: 'drained', version, service: name, endpoint: endpoint.id, quiet });
  }
}

function isOurs(endpoint: Endpoint): boolean {
  return endpoint.isOurs;
}

function stickyOf({ name, sticky, stickyKey }: ServicePolicy): StickyCookie | undefined {
  return sticky === undefined || stickyKey === undefined ? undefined : new StickyCookie(name, sticky, stickyKey);
}
