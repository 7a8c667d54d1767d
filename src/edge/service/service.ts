import type { HashOn, OutlierSettings } from '../../model/balancing.ts';
import type { ServiceReport, SlotGrant } from '../../model/link.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import type { EndpointView, ServicePolicy, ServiceState } from '../../model/snapshot.ts';
import type { Timer } from '../../util/clock.ts';
import { Throttle } from '../../util/throttle.ts';
import { Balancer, isFree } from '../balance/balancer.ts';
import { Eligibility } from '../balance/eligibility.ts';
import { StickyCookie } from '../balance/sticky.ts';
import { HealthChecks, lastResort } from '../health/health-checks.ts';
import { type StartTimes, startTimes } from '../hold/cold-start.ts';
import { DemandReporter } from '../hold/demand-reporter.ts';
import { HoldQueue } from '../hold/hold-queue.ts';
import { Release } from '../hold/release.ts';
import type { Waiter } from '../hold/waiter.ts';
import { type CompiledWakeRule, compileWakeRules, wakeRuleOf } from '../hold/wake-rules.ts';
import type { Watcher } from '../hold/watcher.ts';
import { Fault } from '../http1/faults.ts';
import type { RequestHead } from '../http1/request.ts';
import { PROBE_LIMITS } from '../upstream/answer-limits.ts';
import { Endpoint, type EndpointHealth } from '../upstream/endpoint.ts';
import type { HttpProxyEngine } from '../upstream/http-proxy-engine.ts';
import type { InFlight } from '../upstream/in-flight.ts';
import { ejectionMs, judge, mostEjected } from '../upstream/outlier.ts';
import { Activity, type ActivityView, type Inactive, inactiveOn, inFlightOn, passiveOn } from './activity.ts';
import type { ServiceContext } from './context.ts';
import { endOverdue, type UnderWay } from './drain.ts';
import { RetryBudget } from './retry-budget.ts';
import { SlotClient } from './slot-client.ts';
import { Statistics } from './statistics.ts';
import { type Opened, type Opener, Unproven } from './unproven.ts';

/** How long an endpoint whose connect failed is passed over, unless control says something sooner, ms. */
const SUSPECT_MS = 1000;

/** Shared until there is an endpoint: most of many services sleep. */
const NONE = new Map<string, Endpoint>();

/** What `balance: hash` goes by where nothing is said. */
const BY_CLIENT: HashOn = { kind: 'client' };

/** The data plane's side of one service: its endpoints, who waits, and its figures. Lives across snapshots. */
export class Service {
  readonly name: string;
  readonly queue = new HoldQueue();
  policy: ServicePolicy;
  state: ServiceState;
  wakeRules: CompiledWakeRule[];
  /** Undefined where clients are not to come back to their endpoint. */
  sticky: StickyCookie | undefined;
  /** Body bytes of held requests, reserved ones included. */
  heldBytes = 0;
  /** Phases of the last start that made it ready, when nothing of it was; of one that others made, only its end. */
  lastStart: StartTimes | undefined;
  /** When blocked starts may be tried again, the clock's ms; 0 = not blocked. */
  blockedUntil = 0;
  /** By identity, in whatever state. */
  #endpoints = NONE;
  /** Those that may get requests. */
  #ready: Endpoint[] = [];
  // Made when they are first needed: most of 10,000 services never get a request.
  #statistics: Statistics | undefined;
  #retryBudget: RetryBudget | undefined;
  #watchers: Set<Watcher> | undefined;
  readonly #activity: Activity;
  readonly #context: ServiceContext;
  readonly #balancer = new Balancer();
  /** Which of the ready ones get requests now. */
  readonly #eligibility = new Eligibility();
  #health: HealthChecks | undefined;
  readonly #release: Release;
  /** Where other edges use the endpoints too. */
  #slots: SlotClient | undefined;
  #demand: DemandReporter | undefined;
  #doubtTimer: Timer | undefined;
  #unproven: Unproven | undefined;
  /** When it left the configuration, the clock's ms: it lives on for what is in flight. Undefined: it did not. */
  #leftAt: number | undefined;

  constructor(context: ServiceContext, policy: ServicePolicy) {
    this.#context = context;
    this.name = policy.name;
    this.policy = policy;
    this.wakeRules = compileWakeRules(policy.wake);
    this.sticky = stickyOf(policy);
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
    this.sticky = stickyOf(policy);
    for (const endpoint of this.#endpoints.values()) {
      endpoint.connectThrough(this.#engine);
      endpoint.limits = policy.limits ?? PROBE_LIMITS;
    }
    this.#admit(this.#context.clock.now());
  }

  /** What opens connections; undefined: plain sockets. */
  get #engine(): HttpProxyEngine | undefined {
    return this.policy.engine === 'http-proxy' ? this.#context.httpProxyEngine() : undefined;
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

  get hasEndpoints(): boolean {
    return this.#endpoints.size > 0;
  }

  /** It left the configuration and nothing of it is in flight: there is nothing left to do. */
  get hasLeft(): boolean {
    return this.#leftAt !== undefined && [...this.#endpoints.values()].every(({ inFlight }) => inFlight === 0);
  }

  /** Whether anything may be dispatched, now or when a slot is free; of a service that is waited for, or soon. */
  get isReady(): boolean {
    return this.policy.wakeable ? this.#ready.length > 0 : this.#eligibility.open.length > 0;
  }

  /** Whether every endpoint bounds what is in flight on it: then the free slots are the pace of what waits. */
  get isBounded(): boolean {
    return this.#eligibility.bounded || this.policy.concurrency > 0;
  }

  /** Whether connects to all endpoints of a service that can be started failed a moment ago. */
  get isBereft(): boolean {
    return this.policy.wakeable && this.#eligibility.doubtful;
  }

  /**
   * An endpoint for a waiter; undefined when it has to wait, or there is none.
   * @param now the clock's ms
   */
  pick(waiter: Waiter, now: number): Endpoint | undefined {
    const { policy } = this;
    const eligibility = this.#eligibility;
    const { avoid } = waiter;
    if (now >= eligibility.recheckAt) eligibility.update(this.#ready, policy, now);
    if (eligibility.doubtful && policy.wakeable) return undefined;
    // All in doubt and nobody can start another: better a try than a refusal.
    const doubtedAt = eligibility.doubtful ? Number.POSITIVE_INFINITY : now;
    const { balance, concurrency, hashOn = BY_CLIENT } = policy;
    const key = balance === 'hash' ? waiter.hashKey(hashOn) : undefined;
    const choice = { endpoints: eligibility.open, balance, concurrency, now: doubtedAt, avoid, key };
    if (this.sticky !== undefined) {
      const stuck = waiter.stuckTo(this.sticky);
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
    const wasReady = this.#ready.length;
    this.#applyEndpoints(state.endpoints, version, now);
    if (this.#ready.length === 0) this.#waitForStart();
    if (this.#ready.length > 0) {
      this.#release.begin(Math.max(1, this.#ready.length - wasReady));
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
    if (this.#slots !== undefined || (this.policy.sharesSlots && this.isBounded)) this.#slotClient().look();
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

  /** A connect to the endpoint failed: others are tried, and control is told to look. */
  suspect(endpoint: Endpoint, cause: 'refused' | 'timeout'): void {
    endpoint.closeIdle();
    this.judge(endpoint, 'failure', cause === 'refused' ? 'connection refused' : 'no connection in time');
    this.#doubt(endpoint, cause);
    if (!this.#eligibility.doubtful) leaveDead(endpoint);
  }

  /**
   * The last connection to a replica of ours closed unasked. Mostly it was idle for long enough; but if the replica is
   * gone, its address may be another program's by now. So nobody is sent there before control had a look.
   */
  readonly #onLost = (endpoint: Endpoint): void => {
    if (endpoint.state === 'ready') this.#doubt(endpoint, 'closed');
  };

  #doubt(endpoint: Endpoint, cause: 'refused' | 'timeout' | 'closed'): void {
    const { clock, post } = this.#context;
    endpoint.suspectUntil = clock.now() + SUSPECT_MS;
    endpoint.doubt++;
    endpoint.isUnproven = endpoint.onLost !== undefined;
    post({ type: 'suspect', service: this.name, endpoint: endpoint.id, cause, doubt: endpoint.doubt });
    this.#eligibility.update(this.#ready, this.policy, clock.now());
    this.#tryAgainLater();
  }

  /** A connection was opened that may lead to another program than the replica. */
  prove(opener: Opener, endpoint: Endpoint, connection: Opened): void {
    const { clock, post } = this.#context;
    this.#unproven ??= new Unproven(clock, ({ id, doubt }) =>
      post({ type: 'suspect', service: this.name, endpoint: id, cause: 'unproven', doubt }),
    );
    this.#unproven.add(opener, endpoint, connection);
  }

  /** Another edge is in doubt about it: what was opened here a moment ago may lead to another program, too. */
  onDoubt(id: string): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint?.onLost === undefined || endpoint.suspectUntil > this.#context.clock.now()) return;
    endpoint.closeIdle();
    endpoint.onLost(endpoint);
  }

  /** Control had a look after a doubt: it is the replica that it was. Of a doubt since then that says nothing. */
  onTrust(id: string, doubt: number): void {
    const endpoint = this.#endpoints.get(id);
    if (endpoint === undefined) return;
    this.#unproven?.trust(endpoint, doubt);
    if (endpoint.doubt !== doubt || endpoint.state !== 'ready') return;
    endpoint.suspectUntil = 0;
    this.#eligibility.update(this.#ready, this.policy, this.#context.clock.now());
    if (this.queue.size > 0) this.#release.begin(this.queue.size);
  }

  /** Who waits because all are in doubt goes on when one is not any more. */
  #tryAgainLater(): void {
    const { clock } = this.#context;
    const wait = Math.min(Math.max(this.#eligibility.recheckAt - clock.now(), 1), SUSPECT_MS);
    this.#doubtTimer ??= clock.after(wait, () => {
      this.#doubtTimer = undefined;
      this.#release.pump();
      if (this.queue.size > 0 && this.#eligibility.doubtful) this.#tryAgainLater();
    });
  }

  /**
   * An answer of the endpoint was whole and no 5xx, or not: too many failures in a row take it out for a while.
   * @param why what a failure was, in words
   */
  judge(endpoint: Endpoint, answer: 'success' | 'failure', why = ''): void {
    const { outlier } = this.policy;
    if (outlier === undefined) return;
    const before = endpoint.outlier;
    if (answer === 'success' && before.kind === 'trusted' && before.failures === 0) return;
    const now = this.#context.clock.now();
    endpoint.outlier = judge(before, answer, outlier, now, () => this.#mayEject(endpoint, outlier));
    if (endpoint.outlier.kind === before.kind || endpoint.outlier.kind === 'trusted') return;
    this.#eligibility.update(this.#ready, this.policy, now);
    const forMs = ejectionMs(endpoint.outlier.ejections, outlier);
    const { consecutive: failures } = outlier;
    this.#context.post({ type: 'ejected', service: this.name, address: endpoint.address, forMs, failures, why });
  }

  /** The endpoint closed a fresh connection without a word: that is how many a server answers who should speak TLS. */
  onUnanswered(endpoint: Endpoint): void {
    const { clock, deadlines } = this.#context;
    // A replica of ours has proved itself by an answer, and its port may be another program's by now.
    if (endpoint.onLost !== undefined || endpoint.engine !== undefined || endpoint.state === 'gone') return;
    endpoint.askForTls(deadlines, clock.now(), () => this.onBadAnswer(endpoint, Fault.TLS_ANSWER));
  }

  /** An answer of the endpoint is not valid: who reads the log has to learn which one, and what is wrong with it. */
  onBadAnswer(endpoint: Endpoint, fault: string): void {
    endpoint.faults ??= new Throttle();
    const count = endpoint.faults.note(fault, this.#context.clock.now());
    if (count === 0) return;
    this.#context.post({ type: 'bad-answer', service: this.name, address: endpoint.address, fault, count });
  }

  #mayEject(endpoint: Endpoint, outlier: OutlierSettings): boolean {
    const ejected = this.#ready.filter((each) => each.outlier.kind === 'ejected').length;
    return endpoint.state === 'ready' && ejected < mostEjected(this.#ready.length, outlier);
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
    if (endpoint.cordonVersion !== 0) this.#tellDrained(endpoint, now);
    if (endpoint.state === 'gone' && endpoint.inFlight === 0) this.#forget(endpoint);
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
    endOverdue(this.#underWay, before, now, this.#context.logger);
    for (const watcher of this.#watchers ?? []) watcher.close();
  }

  /** Ends whatever is under way. */
  endDrain(): void {
    endOverdue(this.#underWay, Number.POSITIVE_INFINITY, this.#context.clock.now(), this.#context.logger);
  }

  get #underWay(): UnderWay {
    return { name: this.name, queue: this.queue, endpoints: this.#endpoints.values() };
  }

  /** Closes all idle connections. @returns whether there were any */
  closeIdle(): boolean {
    let closed = false;
    for (const endpoint of this.#endpoints.values()) {
      closed ||= endpoint.idleCount > 0;
      endpoint.closeIdle();
    }
    return closed;
  }

  /** Closes what is idle and old; called once a second. */
  sweep(now: number): void {
    if (this.#leftAt !== undefined) this.drainSince(this.#leftAt, now);
    if (now >= this.#eligibility.recheckAt) {
      this.#eligibility.update(this.#ready, this.policy, now);
      if (this.queue.size > 0) this.#release.pump();
    }
    for (const endpoint of this.#endpoints.values()) {
      endpoint.expireIdle(now);
      if (endpoint.cordonVersion !== 0) this.#tellDrained(endpoint, now);
    }
  }

  /** The service left the configuration: who waits is turned away, nothing new comes, what is in flight may end. */
  leave(): void {
    if (this.#leftAt !== undefined) return;
    this.#leftAt = this.#context.clock.now();
    this.policy = { ...this.policy, wakeable: false, health: undefined };
    this.rejectHeld('NO_ENDPOINT');
    for (const watcher of this.#watchers ?? []) watcher.fail();
    for (const endpoint of this.#endpoints.values()) {
      if (endpoint.state === 'ready') endpoint.state = 'gone';
      endpoint.closeIdle();
    }
    this.#ready = [];
    this.#admit(this.#context.clock.now());
  }

  /** Ends everything at once. */
  close(): void {
    for (const watcher of this.#watchers ?? []) watcher.close();
    this.#health?.close();
    this.rejectHeld('DRAINING');
    for (const endpoint of this.#endpoints.values()) this.#closeEndpoint(endpoint);
    this.#release.stop();
    this.#slots?.close();
    this.#demand?.close();
    this.#doubtTimer?.cancel();
    this.#unproven?.close();
  }

  /** The service's part of a report; undefined when there is nothing to say. */
  report(now: number): ServiceReport | undefined {
    if (this.#isSilent) return undefined;
    const { streamMs } = this.policy.timeouts;
    return {
      service: this.name,
      ...this.statistics.take(),
      inFlight: inFlightOn(this.#endpoints.values()),
      passive: passiveOn(this.#endpoints.values()),
      held: this.queue.asking,
      heldBytes: this.heldBytes,
      ...this.#lookForActivity(now),
      endpoints: Array.from(this.#endpoints.values(), (endpoint) => endpoint.report(now, streamMs)),
    };
  }

  /**
   * Nothing happened, and nothing goes on. An awake service that can sleep speaks all the same: control goes by when its
   * last activity was. Spares 10,000 others, which only have endpoints, 10 % of a core.
   */
  get #isSilent(): boolean {
    if (this.queue.size > 0 || this.#statistics?.quiet === false) return false;
    if (this.policy.wakeable) return !this.hasEndpoints;
    for (const { inFlight, condition } of this.#endpoints.values()) {
      if (inFlight > 0 || condition !== undefined) return false;
    }
    return true;
  }

  /** First who may be dispatched to, then what ends requests: those may be sent elsewhere at once. */
  #applyEndpoints(views: readonly EndpointView[], version: number, now: number): void {
    const listed = new Map<Endpoint, EndpointView>();
    const ready: Endpoint[] = [];
    const isFirst = !this.hasEndpoints;
    const wasReady = this.#ready.length > 0;
    for (const view of views) {
      let endpoint = this.#endpoints.get(view.id);
      if (endpoint === undefined) {
        endpoint = this.#meet(view);
        if (!isFirst) endpoint.freshSince = now;
        if (!wasReady && ready.length === 0 && view.state === 'ready') this.lastStart = startTimes(view.start, now);
      }
      listed.set(endpoint, view);
      endpoint.describe(view);
      endpoint.onLost = view.ours ? this.#onLost : undefined;
      endpoint.limits = this.policy.limits ?? PROBE_LIMITS;
      this.#shareSlots(endpoint);
      endpoint.state = view.state;
      if (view.state === 'ready') ready.push(endpoint);
    }
    const gone: Endpoint[] = [];
    for (const endpoint of this.#endpoints.values()) {
      if (listed.has(endpoint)) continue;
      endpoint.state = 'gone';
      endpoint.closeIdle();
      if (endpoint.inFlight === 0) this.#forget(endpoint);
      else gone.push(endpoint);
    }
    this.#ready = ready;
    this.#admit(now);
    for (const endpoint of gone) {
      this.#unproven?.disown(endpoint);
      leaveDead(endpoint);
    }
    for (const [endpoint, view] of listed) this.#applyState(endpoint, view, version, now);
  }

  /** A bounded endpoint gets no request before control has granted slots of it, where others use it too. */
  #shareSlots(endpoint: Endpoint): void {
    const { sharesSlots, concurrency } = this.policy;
    const isShared = sharesSlots === true && (concurrency > 0 || endpoint.maxConnections < Number.POSITIVE_INFINITY);
    if (!isShared) Object.assign(endpoint, { slots: Number.POSITIVE_INFINITY, owedSlots: 0, slotEpoch: 0 });
    else if (endpoint.slots === Number.POSITIVE_INFINITY) endpoint.slots = 0;
  }

  /** An endpoint that no snapshot named before. */
  #meet(view: EndpointView): Endpoint {
    const endpoint = this.#context.takeProbed(view) ?? new Endpoint(view);
    endpoint.engine = this.#engine;
    if (this.#endpoints === NONE) this.#endpoints = new Map();
    this.#endpoints.set(view.id, endpoint);
    return endpoint;
  }

  #forget(endpoint: Endpoint): void {
    this.#closeEndpoint(endpoint);
    this.#endpoints.delete(endpoint.id);
  }

  /** Works out anew which endpoints get requests, and follows them with what depends on them. */
  #admit(now: number): void {
    const { health, healthHost } = this.policy;
    if (health === undefined) {
      this.#health?.close();
      this.#health = undefined;
    } else {
      const { deadlines, checkGate: gate } = this.#context;
      const onChange = this.#onHealth.bind(this);
      this.#health ??= new HealthChecks({ deadlines, gate, onChange }, health, healthHost);
      this.#health.configure(health, healthHost);
      this.#health.follow(this.#ready);
    }
    this.sticky?.follow(this.#ready);
    this.#eligibility.update(this.#ready, this.policy, now);
  }

  #onHealth(endpoint: Endpoint, before: EndpointHealth, reason: string): void {
    const { clock, logger } = this.#context;
    const { isHealthy } = endpoint;
    const now = clock.now();
    if (isHealthy) endpoint.freshSince = now;
    else endpoint.closeIdle();
    const wereObjecting = this.#eligibility.objecting;
    this.#eligibility.update(this.#ready, this.policy, now);
    const fields = { service: this.name, endpoint: endpoint.id, reason };
    if (isHealthy) logger.info(fields, `endpoint is healthy now: ${reason}`);
    else if (before === 'healthy') logger.warn(fields, `endpoint is unhealthy now: ${reason}`);
    if (this.#eligibility.objecting && !wereObjecting) logger.warn(fields, lastResort(reason));
    if (this.#eligibility.open.length > 0) this.#release.begin(1);
    else this.#turnAway();
  }

  /** Nobody can start another and no endpoint is healthy: waiting is of no use. */
  #turnAway(): void {
    if (!this.policy.wakeable && this.#ready.length > 0 && !this.isReady) this.rejectHeld('NO_ENDPOINT');
  }

  #applyState(endpoint: Endpoint, view: EndpointView, version: number, now: number): void {
    if (view.state === 'ready') {
      endpoint.cordonVersion = 0;
      // Of ours, control says so in so many words.
      if (!view.ours) endpoint.suspectUntil = 0;
      return;
    }
    if (endpoint.cordonVersion === 0) {
      endpoint.cordonVersion = version;
      endpoint.drainedSent = false;
      endpoint.closeIdle();
      const { inFlight } = endpoint;
      const { idleForMs } = this.#lookForActivity(now);
      const inactive = this.#inactiveOn(endpoint, now);
      this.#context.post({
        type: 'ack',
        version,
        service: this.name,
        endpoint: endpoint.id,
        inFlight,
        ...inactive,
        idleForMs,
      });
    }
    if (view.state === 'closing') this.#closeEndpoint(endpoint);
  }

  /** Ends what is in flight on an endpoint, and its connections. */
  #closeEndpoint(endpoint: Endpoint): void {
    endpoint.closeIdle();
    for (let each = endpoint.first; each !== undefined; each = endpoint.first) each.cutOff('retired');
    endpoint.closeOthers();
  }

  #tellDrained(endpoint: Endpoint, now: number): void {
    if (endpoint.drainedSent || endpoint.state === 'ready') return;
    const { quiet } = this.#inactiveOn(endpoint, now);
    if (endpoint.inFlight > quiet) return;
    endpoint.drainedSent = true;
    const version = endpoint.cordonVersion;
    this.#context.post({ type: 'drained', version, service: this.name, endpoint: endpoint.id, quiet });
  }

  #inactiveOn(endpoint: Endpoint, now: number): Inactive {
    return inactiveOn(endpoint, this.policy.timeouts.streamMs, now);
  }

  #lookForActivity(now: number): ActivityView {
    return this.#activity.look(this.queue, this.#endpoints.values(), this.policy.timeouts.streamMs, now);
  }

  #tellDemand(): void {
    // What was told before is taken back also where nothing can be started any more.
    if (!this.policy.wakeable && this.#demand === undefined) return;
    const { clock, post } = this.#context;
    this.#demand ??= new DemandReporter(
      clock,
      () => this.queue.asking,
      (held) => {
        const endpoints = [...this.#endpoints.values()];
        post({ type: 'demand', service: this.name, held, inFlight: inFlightOn(endpoints) - passiveOn(endpoints) });
      },
    );
    this.#demand.changed();
  }
}

function stickyOf({ name, sticky, stickyKey }: ServicePolicy): StickyCookie | undefined {
  return sticky === undefined || stickyKey === undefined ? undefined : new StickyCookie(name, sticky, stickyKey);
}

/** Sends elsewhere what is still being connected to an endpoint. */
function leaveDead(endpoint: Endpoint): void {
  let next: InFlight | undefined;
  for (let each = endpoint.first; each !== undefined; each = next) {
    next = each.nextInFlight;
    each.leaveDead();
  }
}
