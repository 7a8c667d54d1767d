import type { ServiceReport, SlotGrant } from '../../model/link.ts';
import type { ServicePolicy, ServiceState } from '../../model/snapshot.ts';
import { Balancer, isFree } from '../balance/balancer.ts';
import type { StickyCookie } from '../balance/sticky.ts';
import type { ColdStart } from '../hold/cold-start.ts';
import { Hold, type HoldingService } from '../hold/hold.ts';
import type { HoldQueue } from '../hold/hold-queue.ts';
import type { Seeker, Waiter } from '../hold/waiter.ts';
import { type CompiledWakeRule, compileWakeRules, wakeRuleOf } from '../hold/wake-rules.ts';
import type { Watcher } from '../hold/watcher.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { InFlight } from '../upstream/in-flight.ts';
import type { Transport } from '../upstream/transport.ts';
import { Activity, type ActivityView } from './activity.ts';
import type { ServiceContext } from './context.ts';
import { endOverdue } from './drain.ts';
import { RetryBudget } from './retry-budget.ts';
import { type EndpointOwner, ServiceEndpoints } from './service-endpoints.ts';
import { Statistics } from './statistics.ts';
import { Trust } from './trust.ts';

/**
 * The data plane's side of one service: its endpoints, the requests that wait, and its figures. It outlives snapshots.
 */
export class Service implements EndpointOwner, HoldingService {
  readonly name: string;
  /** Those who wait. */
  readonly queue: HoldQueue;
  policy: ServicePolicy;
  state: ServiceState;
  wakeRules: CompiledWakeRule[];
  /** Bytes of bodies that held requests buffer or have reserved. */
  heldBytes = 0;
  /** When blocked starts may be tried again, the clock's ms; 0 = not blocked. */
  blockedUntil = 0;
  // Most of 10,000 services never get a request, so these are made at their first use.
  #statistics: Statistics | undefined;
  #retryBudget: RetryBudget | undefined;
  #watchers: Set<Watcher> | undefined;
  #trust: Trust | undefined;
  readonly #endpoints: ServiceEndpoints;
  readonly #activity: Activity;
  readonly #context: ServiceContext;
  readonly #balancer = new Balancer();
  readonly #hold: Hold;
  /**
   * When the service left the configuration, the clock's ms; undefined: it is configured. It lives on until nothing is
   * in flight.
   */
  #leftAt: number | undefined;
  /** Those who wait count as load: they wait for a slot, and not for a start. */
  #isQueueLoad = false;
  /** Most requests in flight per endpoint from this edge, by configuration and while a further replica is started. */
  #limit = 0;

  constructor(context: ServiceContext, policy: ServicePolicy) {
    this.#context = context;
    this.name = policy.name;
    this.policy = policy;
    this.wakeRules = compileWakeRules(policy.wake);
    this.#endpoints = new ServiceEndpoints(this, context);
    this.#activity = new Activity(context.clock.now());
    this.#hold = new Hold(this, context);
    this.queue = this.#hold.queue;
    this.state = {
      service: policy.name,
      endpoints: [],
      holdTimeoutMs: 30_000,
      starting: false,
      inFlightLimit: null,
      expectedStartMs: null,
      blocked: null,
      failures: 0,
    };
    this.#bound();
  }

  /** Takes over a new configuration and keeps state and connections. Brings back a service that was leaving. */
  configure(policy: ServicePolicy): void {
    this.#leftAt = undefined;
    this.policy = policy;
    this.wakeRules = compileWakeRules(policy.wake);
    this.#bound();
    this.#endpoints.configure(this.#context.clock.now());
  }

  /**
   * Whether a request may not wake the service. Such a request does not keep it awake either, and does not count for
   * scaling.
   */
  isPassive(request: RequestHead): boolean {
    const rule = this.policy.wakeable ? wakeRuleOf(this.wakeRules, request) : undefined;
    return rule !== undefined && rule.then !== 'wake';
  }

  get statistics(): Statistics {
    this.#statistics ??= new Statistics();
    return this.#statistics;
  }

  get retryBudget(): RetryBudget {
    this.#retryBudget ??= new RetryBudget();
    return this.#retryBudget;
  }

  /** Open streams of waiting pages. */
  get watchers(): Set<Watcher> {
    this.#watchers ??= new Set();
    return this.#watchers;
  }

  /** Decides which endpoints are trusted, by how they behave. */
  get trust(): Trust {
    this.#trust ??= new Trust(this, this.#endpoints, this.#hold, this.#context);
    return this.#trust;
  }

  /** How connections to its endpoints are opened; undefined: as plain sockets. */
  get transport(): Transport | undefined {
    return this.#endpoints.transport;
  }

  /** Undefined where clients are not to come back to their endpoint. */
  get sticky(): StickyCookie | undefined {
    return this.#endpoints.sticky;
  }

  /**
   * When the service was last made ready, having had no endpoint before. Of a start that others made, only its end is
   * known.
   */
  get lastStart(): ColdStart | undefined {
    return this.#endpoints.lastStart;
  }

  /** The service left the configuration, and nothing is in flight any more. */
  get hasLeft(): boolean {
    return this.#leftAt !== undefined && this.#endpoints.inFlight === 0;
  }

  /**
   * Whether a request can be dispatched now or as soon as a slot is free. Without a ready endpoint, a wakeable service
   * has to be started first.
   */
  get isReady(): boolean {
    return this.policy.wakeable ? this.#endpoints.ready.length > 0 : this.#endpoints.eligibility.open.length > 0;
  }

  /** Whether every endpoint bounds its requests in flight. Then free slots set the pace at which held requests go. */
  get isBounded(): boolean {
    return this.hasSlots || this.#limit > 0;
  }

  /** Whether the configuration bounds the requests in flight of every endpoint. */
  get hasSlots(): boolean {
    return this.#endpoints.eligibility.bounded || this.policy.concurrency > 0;
  }

  get activeInFlight(): number {
    const { inFlight, passive } = this.#endpoints;
    return inFlight - passive;
  }

  /** Whether connects to all endpoints failed a moment ago, while the service can be started. */
  get isBereft(): boolean {
    return this.policy.wakeable && this.#endpoints.eligibility.doubtful;
  }

  /**
   * Chooses an endpoint; undefined when the waiter has to wait, or there is none.
   * @param now the clock's ms
   */
  pick(seeker: Seeker, now: number): Endpoint | undefined {
    const { policy } = this;
    const { eligibility, sticky } = this.#endpoints;
    const { avoid } = seeker;
    if (now >= eligibility.recheckAt) this.#recheck(now);
    if (eligibility.doubtful && policy.wakeable) return undefined;
    // All endpoints are in doubt and nobody can start another: a try is better than a refusal.
    const doubtedAt = eligibility.doubtful ? Number.POSITIVE_INFINITY : now;
    const { balance, hashOn } = policy;
    const key = balance === 'hash' ? seeker.hashKey(hashOn) : undefined;
    const choice = { endpoints: eligibility.open, balance, concurrency: this.#limit, now: doubtedAt, avoid, key };
    if (sticky !== undefined) {
      const stuck = seeker.stuckTo(sticky);
      if (stuck?.isOpen && stuck !== avoid && isFree(stuck, choice)) return stuck;
    }
    return this.#balancer.pick(choice);
  }

  /** Takes over what control says of the endpoints, then releases or refuses what waits. */
  apply(state: ServiceState, version: number): void {
    const before = this.state;
    this.state = state;
    this.#bound();
    const now = this.#context.clock.now();
    this.blockedUntil = state.blocked === null ? 0 : now + state.blocked.retryAfterMs;
    const endpoints = this.#endpoints;
    const wasReady = endpoints.ready.length;
    endpoints.apply(state.endpoints, version, now);
    this.#weighQueue(now);
    if (endpoints.ready.length === 0) this.#hold.awaitStart();
    if (endpoints.ready.length > 0) {
      this.#hold.release(Math.max(1, endpoints.ready.length - wasReady));
    } else if (state.failures > before.failures) {
      this.#hold.refuseAll('START_FAILED');
    } else if (!this.policy.wakeable) {
      this.#hold.refuseAll('NO_ENDPOINT');
    }
    this.#turnAway();
    this.#hold.lookForSlots();
    for (const watcher of this.#watchers ?? []) watcher.update();
  }

  #bound(): void {
    const { concurrency } = this.policy;
    const { inFlightLimit } = this.state;
    if (inFlightLimit === null) this.#limit = concurrency;
    else this.#limit = concurrency === 0 ? inFlightLimit : Math.min(concurrency, inFlightLimit);
  }

  /** Control grants or recalls slots. */
  onSlots(grant: SlotGrant): void {
    const endpoint = this.#endpoints.get(grant.endpoint);
    if (endpoint !== undefined && endpoint.state !== 'gone') this.#hold.onSlots(endpoint, grant);
  }

  /**
   * Puts a waiter in the queue until `release` or `refuse`.
   * @param front it was dispatched before, so it goes first
   */
  hold(waiter: Waiter, front: boolean): void {
    const now = this.#context.clock.now();
    this.#weighQueue(now);
    if (this.#isQueueLoad && waiter.isLoad) this.statistics.load.change(1, now);
    this.#hold.add(waiter, front);
  }

  /** Takes a waiter out of the queue that was dispatched, refused or aborted. */
  unhold(waiter: Waiter): void {
    const now = this.#context.clock.now();
    this.#activity.note(waiter, now);
    if (this.#isQueueLoad && waiter.isLoad) this.statistics.load.change(-1, now);
    this.#hold.remove(waiter);
  }

  /** Whoever waits begins or ceases to count as load when the service gets its first endpoint or loses its last. */
  #weighQueue(now: number): void {
    const { isReady } = this;
    if (isReady === this.#isQueueLoad) return;
    this.#isQueueLoad = isReady;
    if (this.queue.load > 0) this.statistics.load.change(isReady ? this.queue.load : -this.queue.load, now);
  }

  /** A request got its first byte, so a paced release goes faster. */
  onFirstByte(): void {
    this.#hold.onFirstByte();
  }

  /** A request left the endpoint at `now`, the clock's ms. */
  onLeft(ended: InFlight, endpoint: Endpoint, now: number): void {
    this.#activity.note(ended, now);
    if (endpoint.owedSlots > 0) this.#hold.giveSlotsBack(endpoint);
    this.#hold.releaseSome();
    this.#endpoints.onLeft(endpoint, now);
  }

  /**
   * Ends what has had its time to drain.
   * @param began when the drain began, the clock's ms
   */
  drainSince(began: number, now: number): void {
    const before = now - this.policy.timeouts.drainMs;
    if (began > before) return;
    endOverdue(this.name, this.queue, this.#endpoints, before, now, this.#context.logger);
    for (const watcher of this.#watchers ?? []) watcher.close();
  }

  /** Refuses what waits for a start. */
  refuseSleepers(): void {
    if (!this.isReady) this.#hold.refuseAll('DRAINING');
  }

  /** Ends everything that is under way. */
  endDrain(): void {
    const { clock, logger } = this.#context;
    endOverdue(this.name, this.queue, this.#endpoints, Number.POSITIVE_INFINITY, clock.now(), logger);
  }

  /** Closes all idle connections. @returns whether there were any */
  closeIdle(): boolean {
    return this.#endpoints.closeIdle();
  }

  /** Closes connections that have been idle for long. Called once a second. */
  sweep(now: number): void {
    if (this.#leftAt !== undefined) this.drainSince(this.#leftAt, now);
    if (now >= this.#endpoints.eligibility.recheckAt) {
      this.#recheck(now);
      this.#hold.releaseSome();
    }
    this.#endpoints.sweep(now);
  }

  /** Time has passed by which other endpoints may get requests. */
  #recheck(now: number): void {
    if (now >= this.#context.ledUntil && this.#endpoints.cutOff(now)) {
      this.#weighQueue(now);
      if (this.#endpoints.ready.length === 0) this.#hold.awaitStart();
    }
    this.#endpoints.refresh(now);
  }

  // ── who leads ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Another control plane speaks from here on: tells it all that the one before was told. */
  follow(): void {
    this.#endpoints.follow();
    this.#hold.tellAgain(this.#endpoints);
    this.#trust?.tellAgain();
  }

  /** The edge is led again after it was cut off. */
  restore(now: number): void {
    const back = this.#endpoints.restore(now);
    if (back === 0) return;
    this.#weighQueue(now);
    this.#hold.release(back);
  }

  /** The service left the configuration: refuses what waits, accepts nothing new, and lets what is in flight end. */
  leave(): void {
    if (this.#leftAt !== undefined) return;
    this.#leftAt = this.#context.clock.now();
    this.policy = { ...this.policy, wakeable: false, health: undefined };
    this.#hold.refuseAll('NO_ENDPOINT');
    for (const watcher of this.#watchers ?? []) watcher.fail();
    this.#endpoints.retire(this.#context.clock.now());
  }

  /** Ends everything at once. */
  close(): void {
    for (const watcher of this.#watchers ?? []) watcher.close();
    this.#hold.refuseAll('DRAINING');
    this.#endpoints.close();
    this.#hold.close();
    this.#trust?.close();
  }

  /** Makes the service's part of a report; undefined when there is nothing to say. */
  report(now: number): ServiceReport | undefined {
    if (this.#isSilent) return undefined;
    const { streamMs } = this.policy.timeouts;
    return {
      service: this.name,
      ...this.statistics.take(now),
      inFlight: this.#endpoints.inFlight,
      passive: this.#endpoints.passive,
      queued: this.isReady ? this.queue.ages(now) : [],
      held: this.queue.asking,
      heldBytes: this.heldBytes,
      ...this.#lookForActivity(now),
      endpoints: Array.from(this.#endpoints, (endpoint) => endpoint.report(now, streamMs)),
    };
  }

  /**
   * Whether nothing happened and nothing is under way. A wakeable service with endpoints always reports, because
   * control needs to know its last activity. For 10,000 others this spares 10 % of a core.
   */
  get #isSilent(): boolean {
    if (this.queue.size > 0 || this.#statistics?.quiet === false) return false;
    if (this.policy.wakeable) return this.#endpoints.size === 0;
    for (const { inFlight, condition } of this.#endpoints) {
      if (inFlight > 0 || condition !== undefined) return false;
    }
    return true;
  }

  // ── what its endpoints tell ───────────────────────────────────────────────────────────────────────────────────────

  idleForMs(now: number): number {
    return this.#lookForActivity(now).idleForMs;
  }

  onLost(endpoint: Endpoint): void {
    this.trust.onLost(endpoint);
  }

  onGone(endpoint: Endpoint): void {
    this.#trust?.disown(endpoint);
  }

  onHealthChanged(): void {
    if (this.#endpoints.eligibility.open.length > 0) this.#hold.release(1);
    else this.#turnAway();
  }

  /** Refuses what waits when no endpoint is healthy and nobody can start another. */
  #turnAway(): void {
    if (!this.policy.wakeable && this.#endpoints.ready.length > 0 && !this.isReady) this.#hold.refuseAll('NO_ENDPOINT');
  }

  #lookForActivity(now: number): ActivityView {
    return this.#activity.look(this.queue, this.#endpoints, this.policy.timeouts.streamMs, now);
  }
}
