import type { HashOn } from '../../model/balancing.ts';
import type { ServiceReport, SlotGrant } from '../../model/link.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import type { ServicePolicy, ServiceState } from '../../model/snapshot.ts';
import { Balancer, isFree } from '../balance/balancer.ts';
import type { StickyCookie } from '../balance/sticky.ts';
import type { ColdStart } from '../hold/cold-start.ts';
import { DemandReporter } from '../hold/demand-reporter.ts';
import { HoldQueue } from '../hold/hold-queue.ts';
import { Release, type Releasing } from '../hold/release.ts';
import type { Waiter } from '../hold/waiter.ts';
import { type CompiledWakeRule, compileWakeRules, wakeRuleOf } from '../hold/wake-rules.ts';
import type { Watcher } from '../hold/watcher.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { InFlight } from '../upstream/in-flight.ts';
import { Activity, type ActivityView } from './activity.ts';
import type { ServiceContext } from './context.ts';
import { endOverdue } from './drain.ts';
import { type EndpointOwner, EndpointSet } from './endpoint-set.ts';
import { RetryBudget } from './retry-budget.ts';
import { SlotClient } from './slot-client.ts';
import { Statistics } from './statistics.ts';
import { Trust } from './trust.ts';

/** What `balance: hash` goes by where nothing is said. */
const BY_CLIENT: HashOn = { kind: 'client' };

/** The data plane's side of one service: its endpoints, who waits, and its figures. Lives across snapshots. */
export class Service implements EndpointOwner, Releasing {
  readonly name: string;
  readonly queue = new HoldQueue();
  policy: ServicePolicy;
  state: ServiceState;
  wakeRules: CompiledWakeRule[];
  /** Body bytes of held requests, reserved ones included. */
  heldBytes = 0;
  /** When blocked starts may be tried again, the clock's ms; 0 = not blocked. */
  blockedUntil = 0;
  // Made when they are first needed: most of 10,000 services never get a request.
  #statistics: Statistics | undefined;
  #retryBudget: RetryBudget | undefined;
  #watchers: Set<Watcher> | undefined;
  #trust: Trust | undefined;
  readonly #endpoints: EndpointSet;
  readonly #activity: Activity;
  readonly #context: ServiceContext;
  readonly #balancer = new Balancer();
  readonly #release: Release;
  /** Where other edges use the endpoints too. */
  #slots: SlotClient | undefined;
  #demand: DemandReporter | undefined;
  /** When it left the configuration, the clock's ms: it lives on for what is in flight. Undefined: it did not. */
  #leftAt: number | undefined;

  constructor(context: ServiceContext, policy: ServicePolicy) {
    this.#context = context;
    this.name = policy.name;
    this.policy = policy;
    this.wakeRules = compileWakeRules(policy.wake);
    this.#endpoints = new EndpointSet(this, context);
    this.#activity = new Activity(context.clock.now());
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

  /** Takes over a new configuration; state and connections stay. Also brings back one that was leaving. */
  configure(policy: ServicePolicy): void {
    this.#leftAt = undefined;
    this.policy = policy;
    this.wakeRules = compileWakeRules(policy.wake);
    this.#endpoints.configure(this.#context.clock.now());
  }

  /** Whether a request may not wake it: then it does not keep it awake either, and nothing is scaled for it. */
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

  /** What is thought of its endpoints, because of how they behave. */
  get trust(): Trust {
    this.#trust ??= new Trust(this, this.#endpoints, this.#release, this.#context);
    return this.#trust;
  }

  /** Undefined where clients are not to come back to their endpoint. */
  get sticky(): StickyCookie | undefined {
    return this.#endpoints.sticky;
  }

  /** The last start that made it ready, when nothing of it was; of one that others made, only its end. */
  get lastStart(): ColdStart | undefined {
    return this.#endpoints.lastStart;
  }

  /** It left the configuration and nothing of it is in flight: there is nothing left to do. */
  get hasLeft(): boolean {
    return this.#leftAt !== undefined && this.#endpoints.inFlight === 0;
  }

  /** Whether anything may be dispatched, now or when a slot is free; of a service that is waited for, or soon. */
  get isReady(): boolean {
    return this.policy.wakeable ? this.#endpoints.ready.length > 0 : this.#endpoints.eligibility.open.length > 0;
  }

  /** Whether every endpoint bounds what is in flight on it: then the free slots are the pace of what waits. */
  get isBounded(): boolean {
    return this.#endpoints.eligibility.bounded || this.policy.concurrency > 0;
  }

  /** Whether connects to all endpoints of a service that can be started failed a moment ago. */
  get isBereft(): boolean {
    return this.policy.wakeable && this.#endpoints.eligibility.doubtful;
  }

  /**
   * An endpoint for a waiter; undefined when it has to wait, or there is none.
   * @param now the clock's ms
   */
  pick(waiter: Waiter, now: number): Endpoint | undefined {
    const { policy } = this;
    const { eligibility, sticky } = this.#endpoints;
    const { avoid } = waiter;
    if (now >= eligibility.recheckAt) this.#endpoints.refresh(now);
    if (eligibility.doubtful && policy.wakeable) return undefined;
    // All in doubt and nobody can start another: better a try than a refusal.
    const doubtedAt = eligibility.doubtful ? Number.POSITIVE_INFINITY : now;
    const { balance, concurrency, hashOn = BY_CLIENT } = policy;
    const key = balance === 'hash' ? waiter.hashKey(hashOn) : undefined;
    const choice = { endpoints: eligibility.open, balance, concurrency, now: doubtedAt, avoid, key };
    if (sticky !== undefined) {
      const stuck = waiter.stuckTo(sticky);
      if (stuck?.isOpen && stuck !== avoid && isFree(stuck, choice)) return stuck;
    }
    return this.#balancer.pick(choice);
  }

  /** Swaps in what control says of the endpoints, acknowledges cordons, and lets go or turns away who waits. */
  apply(state: ServiceState, version: number): void {
    const before = this.state;
    this.state = state;
    const now = this.#context.clock.now();
    this.blockedUntil = state.blocked === null ? 0 : now + state.blocked.retryAfterMs;
    const endpoints = this.#endpoints;
    const wasReady = endpoints.ready.length;
    endpoints.apply(state.endpoints, version, now);
    if (endpoints.ready.length === 0) this.#waitForStart();
    if (endpoints.ready.length > 0) {
      this.#release.begin(Math.max(1, endpoints.ready.length - wasReady));
    } else if (state.failures > before.failures) {
      this.rejectHeld('START_FAILED');
    } else if (!this.policy.wakeable) {
      this.rejectHeld('NO_ENDPOINT');
    }
    this.#turnAway();
    this.#lookForSlots();
    for (const watcher of this.#watchers ?? []) watcher.update();
  }

  /** Control grants or recalls slots. */
  onSlots(grant: SlotGrant): void {
    const endpoint = this.#endpoints.get(grant.endpoint);
    if (endpoint === undefined || endpoint.state === 'gone') return;
    this.#slotClient().apply(endpoint, grant);
    if (this.queue.size > 0) this.#release.pump();
    this.#lookForSlots();
  }

  #lookForSlots(): void {
    if (this.#slots !== undefined || (this.policy.sharesSlots && this.isBounded)) this.#slotClient().changed();
  }

  /** Made at the first use: most services bound nothing. */
  #slotClient(): SlotClient {
    const { clock, post } = this.#context;
    this.#slots ??= new SlotClient({
      service: this.name,
      clock,
      post,
      waiting: () => (this.isReady && this.isBounded ? this.queue.size : 0),
    });
    return this.#slots;
  }

  /** Whoever waited for a slot waits for a start from now on. */
  #waitForStart(): void {
    for (let each = this.queue.first; each !== undefined; ) {
      // It may leave the queue, and stand at its end as the next request of its connection.
      const next: Waiter | undefined = each.nextHeld;
      each.waitForStart();
      each = next;
    }
  }

  /** Puts a request in the queue; it is told by `release` or `refuse`. `front`: it was dispatched before. */
  hold(waiter: Waiter, front: boolean): void {
    if (front) this.queue.unshift(waiter);
    else this.queue.push(waiter);
    this.#lookForSlots();
    this.#tellDemand();
  }

  /** A held request left the queue: dispatched, refused or aborted. */
  unhold(waiter: Waiter): void {
    this.queue.remove(waiter);
    this.#activity.note(waiter, this.#context.clock.now());
    this.#lookForSlots();
    this.#tellDemand();
  }

  /** A request got its first byte: a paced release goes on faster. */
  onFirstByte(): void {
    if (this.queue.size > 0) this.#release.onFirstByte();
  }

  /** It left the endpoint at `now`, the clock's ms. */
  onLeft(ended: InFlight, endpoint: Endpoint, now: number): void {
    this.#activity.note(ended, now);
    if (endpoint.owedSlots > 0) this.#slots?.giveBack(endpoint);
    if (this.queue.size > 0) this.#release.pump();
    this.#endpoints.onLeft(endpoint, now);
  }

  /** Answers everything that waits now, with `code`; a request that a client sent right behind one is not among it. */
  rejectHeld(code: RefusalCode): void {
    for (let left = this.queue.size; left > 0; left--) this.queue.first?.refuse(code);
  }

  /**
   * Ends what has had its time to drain.
   * @param began when the drain did, the clock's ms
   */
  drainSince(began: number, now: number): void {
    const before = now - this.policy.timeouts.drainMs;
    if (began > before) return;
    endOverdue(this.name, this.queue, this.#endpoints, before, now, this.#context.logger);
    for (const watcher of this.#watchers ?? []) watcher.close();
  }

  /** Ends whatever is under way. */
  endDrain(): void {
    const { clock, logger } = this.#context;
    endOverdue(this.name, this.queue, this.#endpoints, Number.POSITIVE_INFINITY, clock.now(), logger);
  }

  /** Closes all idle connections. @returns whether there were any */
  closeIdle(): boolean {
    return this.#endpoints.closeIdle();
  }

  /** Closes what is idle and old; called once a second. */
  sweep(now: number): void {
    if (this.#leftAt !== undefined) this.drainSince(this.#leftAt, now);
    if (now >= this.#endpoints.eligibility.recheckAt) {
      this.#endpoints.refresh(now);
      if (this.queue.size > 0) this.#release.pump();
    }
    this.#endpoints.sweep(now);
  }

  /** The service left the configuration: who waits is turned away, nothing new comes, what is in flight may end. */
  leave(): void {
    if (this.#leftAt !== undefined) return;
    this.#leftAt = this.#context.clock.now();
    this.policy = { ...this.policy, wakeable: false, health: undefined };
    this.rejectHeld('NO_ENDPOINT');
    for (const watcher of this.#watchers ?? []) watcher.fail();
    this.#endpoints.retire(this.#context.clock.now());
  }

  /** Ends everything at once. */
  close(): void {
    for (const watcher of this.#watchers ?? []) watcher.close();
    this.rejectHeld('DRAINING');
    this.#endpoints.close();
    this.#release.stop();
    this.#slots?.close();
    this.#demand?.close();
    this.#trust?.close();
  }

  /** The service's part of a report; undefined when there is nothing to say. */
  report(now: number): ServiceReport | undefined {
    if (this.#isSilent) return undefined;
    const { streamMs } = this.policy.timeouts;
    return {
      service: this.name,
      ...this.statistics.take(),
      inFlight: this.#endpoints.inFlight,
      passive: this.#endpoints.passive,
      held: this.queue.asking,
      heldBytes: this.heldBytes,
      ...this.#lookForActivity(now),
      endpoints: Array.from(this.#endpoints, (endpoint) => endpoint.report(now, streamMs)),
    };
  }

  /**
   * Nothing happened, and nothing goes on. An awake service that can sleep speaks all the same: control goes by when its
   * last activity was. Spares 10,000 others, which only have endpoints, 10 % of a core.
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
    if (this.#endpoints.eligibility.open.length > 0) this.#release.begin(1);
    else this.#turnAway();
  }

  /** Nobody can start another and no endpoint is healthy: waiting is of no use. */
  #turnAway(): void {
    if (!this.policy.wakeable && this.#endpoints.ready.length > 0 && !this.isReady) this.rejectHeld('NO_ENDPOINT');
  }

  #lookForActivity(now: number): ActivityView {
    return this.#activity.look(this.queue, this.#endpoints, this.policy.timeouts.streamMs, now);
  }

  #tellDemand(): void {
    // What was told before is taken back also where nothing can be started any more.
    if (!this.policy.wakeable && this.#demand === undefined) return;
    const { clock, post } = this.#context;
    this.#demand ??= new DemandReporter(
      clock,
      () => this.queue.asking,
      (held) => {
        const { inFlight, passive } = this.#endpoints;
        post({ type: 'demand', service: this.name, held, inFlight: inFlight - passive });
      },
    );
    this.#demand.changed();
  }
}
