import type { PilotlightError } from '../model/errors.ts';
import type { Instance, ReplicaSpec } from '../model/runtime.ts';
import type { RunSettings, ServiceSettings } from '../model/settings.ts';
import type { AdoptingService } from './adoption.ts';
import { type DemandInputs, wantedReplicas } from './demand.ts';
import type { Narrator } from './narrator.ts';
import { readyCheck } from './ready-check.ts';
import type { ServiceFacts } from './registry.ts';
import type { Replica, StartCause } from './replica.ts';
import { ReplicaSet, type ReplicaSetListener, type ReplicaSettings } from './replica-set.ts';
import type { RetireReason } from './retire.ts';
import type { RuntimeContact } from './runtime-monitor.ts';
import type { ServiceHost } from './service-host.ts';
import { hashOf, nextReplacement } from './spec-change.ts';
import { PROBATION_MS, StartBreaker } from './start-breaker.ts';
import { StartTimes } from './start-times.ts';
import type { Telemetry } from './telemetry.ts';

/** Lines of a failed start's output that are logged. */
const LAST_WORDS = 5;

/** `slept`: an operator put it to sleep, so `min` is not kept until something asks for it. `leaving`: it was removed. */
type Mode = 'automatic' | 'slept' | 'leaving';

export interface LifecycleOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  narrator: Narrator;
  /** Completions per second that one replica sustained; undefined while unknown. */
  sustained: () => number | undefined;
  /** Replicas became ready, or ended. */
  onSettled: () => void;
}

/**
 * The life of one service's replicas: how many there should be, what is missing, what comes of each. Asked again after
 * every change (`evaluate`), it brings about what is wanted as far as may be.
 */
export class ServiceLifecycle implements ReplicaSetListener {
  readonly set: ReplicaSet;
  readonly breaker: StartBreaker;
  readonly #name: string;
  readonly #host: ServiceHost;
  readonly #settings: () => ServiceSettings;
  readonly #telemetry: Telemetry;
  readonly #narrator: Narrator;
  readonly #options: LifecycleOptions;
  /** The last `run` there was: what runs of it is still to be ended when the service has none any more. */
  #run: RunSettings | undefined;
  #mode: Mode = 'automatic';
  #startTimes = new StartTimes();
  #failures = 0;
  #isDormant = false;
  /** An operator asked for it, and it is not ready yet. */
  #woken = false;
  /** Replicas of our own that it should have while it is awake. */
  #target = 0;
  /** Arrivals per second just before it was asked for; undefined while nothing asks. */
  #arrivalsBefore: number | undefined;
  #awakeSince: number | undefined;
  /** Adopted replicas have to be watched for a while, the clock's ms. */
  #idleNotBefore = 0;
  /** Who waits for the end of all replicas. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: LifecycleOptions) {
    const { host, settings, telemetry, narrator } = options;
    const { context, gate, hub, registry } = host;
    this.#name = settings().name;
    this.#options = options;
    this.#host = host;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#narrator = narrator;
    this.#run = settings().run;
    this.breaker = new StartBreaker(context.clock, context.random, () => {
      registry.publish(this.#name);
      this.evaluate();
    });
    this.set = new ReplicaSet({
      service: this.#name,
      context,
      gate,
      hub,
      settings: () => this.#replicaSettings(),
      listener: this,
      publish: () => registry.publish(this.#name),
      mayEnd: () => host.mayEnd(),
    });
  }

  // What others ask

  /** Its `run`, also while what is left of a removed one ends. */
  get run(): RunSettings | undefined {
    return this.#run;
  }

  get isLeaving(): boolean {
    return this.#mode === 'leaving';
  }

  /** Whether any endpoint may get requests. */
  get isAwake(): boolean {
    return this.set.counts.ready + this.external > 0;
  }

  /**
   * Nothing of ours runs, nothing is asked for and nothing waits for its time: until something happens, which is
   * evaluated then, a look at the service would find nothing to do. Spares 10,000 sleeping ones 30 % of a core.
   */
  get isDormant(): boolean {
    return this.#isDormant;
  }

  /** Since when, the clock's ms; undefined while asleep. */
  get awakeSince(): number | undefined {
    return this.#awakeSince;
  }

  get idleNotBefore(): number {
    return this.#idleNotBefore;
  }

  /** Endpoints in use that others run. */
  get external(): number {
    return this.#host.registry.external(this.#name).length;
  }

  /** Those that became ready last come first. */
  get ready(): Replica[] {
    return this.set.replicas.filter(({ state }) => state === 'ready').sort((a, b) => b.readyAt - a.readyAt);
  }

  /** What may be running or pre-positioned of it. */
  get specs(): ReplicaSpec[] {
    const { run, scale } = this.#settings();
    return run === undefined ? [] : Array.from({ length: scale.max }, (_, index) => this.#spec(run, index + 1));
  }

  /** How found replicas are sorted; undefined where there is no place for any. */
  get adopting(): AdoptingService | undefined {
    const { run, scale } = this.#settings();
    if (run === undefined || this.isLeaving) return undefined;
    const live = this.set.replicas.filter(({ isLive }) => isLive);
    const taken = new Set(live.map(({ ordinal }) => ordinal));
    return { hash: hashOf(run), max: scale.max, live: live.length, taken };
  }

  /** What the edges are told. */
  get facts(): ServiceFacts {
    const { queued, starting } = this.set.counts;
    const { run, hold } = this.#settings();
    const contact = run === undefined ? undefined : this.#host.runtimes.contact(run);
    return {
      owned: this.set.endpoints,
      addresses: this.set.addresses,
      holdTimeoutMs: this.#startTimes.holdTimeoutMs(hold.timeoutMs),
      starting: queued + starting > 0,
      expectedStartMs: this.#startTimes.expectedMs,
      blockedUntil: contact?.contact === 'unreachable' ? contact.retryAt : this.breaker.refusedUntil,
      failures: this.#failures,
    };
  }

  // What is to happen

  /**
   * Brings about what is wanted as far as may be now: revokes retires, queues starts, replaces what is outdated. Safe to
   * call at any time, any number of times.
   */
  evaluate(cause: StartCause = 'replacement'): void {
    this.#isDormant = false;
    this.#noteAwake();
    if (this.isLeaving) return;
    if (this.#settings().run === undefined) {
      this.#isDormant = this.#isQuiet;
      return;
    }
    if (this.#contact === 'known') {
      const demanded = this.#telemetry.held > 0 || this.#woken;
      if (demanded) this.#answerDemand();
      else if (!this.isAwake) this.#forgetDemand();
      const wanted = this.#wanted();
      if (this.isAwake || demanded) this.#target = Math.max(this.#target, wanted);
      this.#startUpTo(wanted, cause);
      if (!this.#host.isDraining()) this.#replaceOutdated();
      this.#isDormant = wanted === 0 && !this.isAwake && this.#isQuiet;
    }
    this.#host.registry.soon(this.#name);
  }

  wake(): void {
    this.#mode = 'automatic';
    if (this.set.counts.ready > 0) return;
    this.#woken = true;
    if (this.breaker.blockedUntil !== undefined) this.breaker.note({ type: 'forgiven' });
    this.evaluate();
  }

  sleep(): void {
    this.#mode = 'slept';
    this.#woken = false;
    // What requests wait for is not called off: they would only ask again.
    if (this.#telemetry.held === 0) this.#callOffStarts();
    this.retire(this.ready, 'by-hand');
  }

  /** So many replicas from now on. */
  scaleUp(to: number): void {
    this.#target = to;
    this.evaluate('scale-up');
  }

  scaleDown(victim: Replica, to: number): void {
    this.#target = to;
    this.set.retire([victim], 'scale-down');
  }

  /** Begins the two-phase end of ready replicas, and tells of it. */
  retire(
    replicas: readonly Replica[],
    reason: RetireReason,
    detail: { text?: string; inputs?: Record<string, number> } = {},
  ): void {
    if (replicas.length === 0 || !this.#host.mayEnd()) return;
    const { ready } = this.set.counts;
    this.#narrator.retiring(reason, replicas, ready, detail);
    if (reason !== 'replaced') this.#target = Math.max(0, ready - replicas.length);
    this.set.retire(replicas, reason);
  }

  /** The configuration changed. */
  reconfigured(before: ServiceSettings): void {
    const { run, scale } = this.#settings();
    if (this.isLeaving) this.#mode = 'automatic';
    if (run === undefined) {
      this.#endAll();
    } else if (before.run === undefined || hashOf(run) !== hashOf(before.run)) {
      this.#runChanged(run);
    } else if (scale.max > before.scale.max) {
      this.prepareAll();
    }
    if (run !== undefined) this.#shrink(hashOf(run), scale.max);
    this.#host.registry.soon(this.#name);
    this.evaluate();
  }

  /** The service is in the configuration no more: what runs of it is drained and stopped. */
  remove(): void {
    this.#mode = 'leaving';
    this.#endAll();
    this.#settle();
  }

  /** Ends all at once: nothing is sent to them any more. */
  stopNow(): void {
    this.#mode = 'leaving';
    this.set.stopNow('shutdown');
  }

  /** A successor takes over: nothing more is begun, and what can be taken back of retires is. */
  letGo(): void {
    this.set.withdrawQueued();
    this.set.revoke(Number.POSITIVE_INFINITY);
  }

  /** Resolves when nothing of it runs any more. */
  stopped(): Promise<void> {
    if (this.set.counts.live === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Takes over running replicas; they have to prove themselves. @returns how many there was a place for */
  adopt(instances: readonly Instance[], reason: string): number {
    const adopted = instances.filter((instance) => this.set.adopt(instance)).length;
    if (adopted === 0) return 0;
    const { live } = this.set.counts;
    this.#narrator.adopting(live - adopted, live, reason);
    this.#host.registry.publish(this.#name);
    this.evaluate();
    return adopted;
  }

  /** Whether anything may be started has changed: the list of what runs is there, or was refused. */
  onContact(): void {
    if (this.#contact === 'known') this.prepareAll();
    // Nothing can be started: who waits for it is answered.
    else if (this.#contact === 'unreachable' && !this.isAwake) this.#failures++;
    this.#host.registry.publish(this.#name);
    this.evaluate();
  }

  /** Pre-positions whatever does not run. */
  prepareAll(): void {
    const { run, scale } = this.#settings();
    if (run === undefined || run.kind === 'process' || this.#contact !== 'known') return;
    for (let ordinal = 1; ordinal <= scale.max; ordinal++) this.#prepare(this.set.at(ordinal));
  }

  close(): void {
    this.breaker.close();
  }

  // What becomes of replicas

  onChange(): void {
    this.#host.registry.soon(this.#name);
  }

  onReady(replica: Replica, cause: StartCause | undefined): void {
    const { start } = replica;
    if (start === undefined) {
      const { idleMs, latency } = this.#settings().scale;
      const watchMs = Math.max(idleMs === 'never' ? 0 : idleMs, latency.windowMs);
      this.#idleNotBefore = this.#host.context.clock.now() + watchMs;
      this.#target = Math.max(this.#target, this.set.counts.ready);
    } else {
      this.#startTimes.add(start.ready - start.permit);
      this.breaker.note({ type: 'ready', askedAt: start.asked });
    }
    this.#narrator.ready(replica, cause, this.#telemetry.held);
    this.#host.advertiser.putReplica(this.#settings(), replica);
    this.evaluate();
    this.#options.onSettled();
  }

  onStartFailed(replica: Replica, error: PilotlightError, askedAt: number, run: string | undefined): void {
    const { clock } = this.#host.context;
    if (run !== undefined) this.#logLastWords(replica, run);
    this.#host.advertiser.dropReplica(replica);
    this.breaker.note({ type: 'failed', askedAt, retrySafe: error.retrySafe });
    this.#woken = false;
    const until = this.breaker.blockedUntil;
    if (until !== undefined) this.set.withdrawQueued();
    const { queued, starting, ready } = this.set.counts;
    if (this.breaker.isFailing && queued + starting + ready + this.external === 0) this.#failures++;
    // Whether the rest is enough is the scaler's to say, from what it measures then.
    if (ready > 0) this.#target = ready + queued + starting;
    this.#narrator.startFailed(replica, error, {
      retryInMs: until === undefined ? undefined : until - clock.now(),
      oldStays: this.ready.some(({ spec }) => spec.hash !== replica.spec.hash),
    });
    this.#afterEnd(replica);
  }

  onStartWithdrawn(_replica: Replica): void {
    const { queued, starting } = this.set.counts;
    if (queued + starting === 0) this.breaker.note({ type: 'withdrawn' });
    this.#host.registry.soon(this.#name);
    this.#settle();
  }

  onAdoptFailed(replica: Replica, error: PilotlightError): void {
    this.#narrator.exited(replica, error.message);
    this.#afterEnd(replica);
  }

  onExited(replica: Replica, detail: string): void {
    const { clock } = this.#host.context;
    this.#host.advertiser.dropReplica(replica);
    this.#narrator.exited(replica, detail);
    const { ready, starting, queued } = this.set.counts;
    const { inFlight, window } = this.#telemetry;
    // An idle one, or the last one, may have been stopped on purpose: it waits until somebody asks.
    const active = inFlight > 0 || window.arrivalsBefore(clock.now(), PROBATION_MS) > 0;
    if (ready + this.external === 0 || !active) this.#target = ready + starting + queued;
    this.#afterEnd(replica);
  }

  onCordoned(replica: Replica): void {
    this.#host.advertiser.dropReplica(replica);
  }

  onRevoked(replica: Replica, why: string): void {
    const { ready } = this.set.counts;
    this.#target = Math.max(this.#target, ready);
    this.#narrator.revoked(replica, why, ready - 1);
    this.#host.advertiser.putReplica(this.#settings(), replica);
    this.#options.onSettled();
  }

  onDrainForced(replica: Replica, inFlight: number): void {
    this.#narrator.drainForced(replica, inFlight);
  }

  onUnresponsive(edge: string): boolean {
    return this.#host.onUnresponsive(edge);
  }

  onStopped(replica: Replica, reason: string): void {
    if (reason !== 'failed' && !this.isLeaving && this.set.counts.live + this.external === 0) {
      this.#narrator.asleep(reason, this.#settings().scale.idleMs);
    }
    this.#afterEnd(replica);
  }

  onUncertain(): void {
    if (this.#run !== undefined) this.#host.runtimes.relist(this.#run);
  }

  // Deciding

  #wanted(): number {
    return wantedReplicas(this.#demandInputs);
  }

  get #demandInputs(): DemandInputs {
    const { min, max, initial, concurrency, guards } = this.#settings().scale;
    const { held, inFlight } = this.#telemetry;
    const draining = this.#host.isDraining();
    const sustainedPerSecond = this.#options.sustained();
    return {
      min: draining ? 0 : min,
      max,
      initial,
      concurrency,
      utilisation: guards.utilisation,
      held,
      inFlight,
      ready: this.set.counts.ready + this.external,
      woken: Number(this.#woken),
      slept: Number(this.#mode === 'slept'),
      target: draining ? 0 : this.#target,
      arrivalsBeforePerSecond: this.#arrivalsBefore ?? 0,
      ...(sustainedPerSecond !== undefined && { sustainedPerSecond }),
    };
  }

  /** Something asks for the service. */
  #answerDemand(): void {
    const { clock } = this.#host.context;
    this.#mode = 'automatic';
    if (this.isAwake) return;
    this.#arrivalsBefore ??= this.#telemetry.window.arrivalsBefore(
      clock.now(),
      this.#settings().scale.latency.windowMs,
    );
    this.set.hurry();
    if (this.set.counts.retiring > 0) this.set.revoke(this.#wanted());
  }

  /**
   * Nobody is held: what was asked for is no measure of what the next one needs. What is being started may go on, and
   * who looks at a waiting page still waits for a start in the queue.
   */
  #forgetDemand(): void {
    const { queued, starting } = this.set.counts;
    const { min, initial } = this.#settings().scale;
    const least = this.#arrivalsBefore === undefined ? 0 : Math.max(1, initial, min);
    this.#target = Math.min(queued + starting, Math.max(starting, least));
    if (queued + starting === 0) this.#arrivalsBefore = undefined;
  }

  #startUpTo(wanted: number, otherwise: StartCause): void {
    const { queued, starting, ready, live } = this.set.counts;
    const coming = queued + starting;
    // What nobody needs any more would take permits and budget from what somebody waits for.
    const surplus = coming + ready - (this.isAwake ? wanted : Math.max(wanted, this.#target));
    if (surplus > 0) this.set.withdrawQueued(surplus, ({ cause }) => cause !== 'new-run');
    const { min, max } = this.#settings().scale;
    const count = Math.min(wanted - coming - ready, max - live, this.breaker.allowance);
    if (count <= 0 || !this.#host.mayStart()) return;
    const demand = this.#demandInputs;
    const asleep = !this.isAwake;
    const asked = asleep && demand.held > 0 ? 'demand' : asleep && this.#woken ? 'by-hand' : undefined;
    const cause = asked ?? (coming + ready < min ? 'min' : otherwise);
    this.#start(cause, count);
    const there = coming + ready;
    const inputs = { ...demand, wanted };
    if (asleep) this.#narrator.waking(cause, there, there + count, inputs);
    else if (cause !== 'scale-up') this.#narrator.refilling(cause, there, there + count, inputs);
  }

  #replaceOutdated(): void {
    const { run, scale } = this.#settings();
    const { replicas, counts } = this.set;
    if (run === undefined || counts.ready === 0) return;
    const next = nextReplacement({
      replicas,
      counts,
      hash: hashOf(run),
      wanted: this.#wanted(),
      max: scale.max,
      startsAllowed: this.breaker.allowance,
    });
    if (next.step === 'start') this.#start('new-run', 1);
    if (next.step === 'retire') this.retire([next.replica], 'replaced');
  }

  #start(cause: StartCause, count: number): void {
    for (let i = 0; i < count; i++) this.set.start(cause);
    this.breaker.note({ type: 'started' });
  }

  #callOffStarts(): void {
    this.set.withdrawQueued();
    this.set.withdrawStarting(() => true);
  }

  #endAll(): void {
    this.#woken = false;
    this.#callOffStarts();
    this.retire(this.ready, 'removed');
  }

  /** What is more than `max` goes: first what did not begin yet, then what only starts, then what is outdated. */
  #shrink(hash: string, max: number): void {
    const { queued, starting, ready } = this.set.counts;
    let surplus = queued + starting + ready - max;
    if (surplus <= 0) return;
    this.set.withdrawQueued(surplus);
    surplus -= queued;
    this.set.withdrawStarting(({ state }) => state === 'starting' && surplus-- > 0);
    const isCurrent = ({ spec }: Replica) => Number(spec.hash === hash);
    const victims = this.ready.sort((a, b) => isCurrent(a) - isCurrent(b));
    this.retire(victims.slice(0, Math.max(0, surplus)), 'scale-down', { text: `over max ${max}` });
  }

  #runChanged(run: RunSettings): void {
    const hash = hashOf(run);
    // One existing container cannot run twice: its replica ends first, and the next request starts it anew.
    const inPlace = run.kind === 'docker-container' || this.#run?.kind === 'docker-container';
    this.#run = run;
    this.breaker.note({ type: 'forgiven' });
    this.#startTimes = new StartTimes();
    this.#host.standby.forget(this.#name);
    // What is only starting, with the old one, need not get ready first.
    this.set.withdrawStarting(({ spec }) => spec.hash !== hash);
    if (inPlace) this.retire(this.ready, 'reconfigured');
    this.prepareAll();
  }

  /** A replica runs no more, and all that comes of it. */
  #afterEnd(replica: Replica): void {
    this.#host.registry.publish(this.#name);
    this.#prepare(replica);
    this.evaluate();
    this.#settle();
  }

  #settle(): void {
    if (this.set.counts.live > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
    if (this.isLeaving) this.#host.onGone(this.#name);
  }

  // Small things

  get #contact(): RuntimeContact['contact'] {
    const { run } = this.#settings();
    return run === undefined ? 'known' : this.#host.runtimes.contact(run).contact;
  }

  get #isQuiet(): boolean {
    return this.set.counts.live === 0 && this.#telemetry.silent && this.breaker.blockedUntil === undefined;
  }

  #noteAwake(): void {
    if (!this.isAwake) {
      this.#awakeSince = undefined;
      return;
    }
    this.#awakeSince ??= this.#host.context.clock.now();
    this.#woken = false;
    this.#arrivalsBefore = undefined;
  }

  #prepare(replica: Replica): void {
    const { run } = this.#settings();
    if (run === undefined || this.isLeaving || replica.isLive || replica.task.kind !== 'none') return;
    // Of a process there is nothing that could be pre-positioned.
    if (run.kind === 'process' || (run.kind === 'docker' && run.standby === 'none')) return;
    replica.spec = this.#spec(run, replica.ordinal);
    replica.runtime = this.#host.runtimes.of(run);
    this.#host.standby.prepare(this.#name, replica);
  }

  #spec(run: RunSettings, ordinal: number): ReplicaSpec {
    return { service: this.#name, ordinal, instance: this.#host.context.instance, run, hash: hashOf(run) };
  }

  #replicaSettings(): ReplicaSettings {
    const settings = this.#settings();
    const run = this.#run as RunSettings;
    return {
      spec: (ordinal) => this.#spec(run, ordinal),
      runtime: () => this.#host.runtimes.of(run),
      ready: settings.ready,
      check: readyCheck(settings),
      drainMs: settings.timeouts.drainMs,
      idleMs: settings.scale.idleMs === 'never' ? 0 : settings.scale.idleMs,
    };
  }

  /** What it said last usually tells why. */
  #logLastWords({ name, runtime }: Replica, run: string): void {
    const { logger, life } = this.#host.context;
    runtime.output(run, LAST_WORDS, life).then(
      (output) => {
        if (output.length > 0) logger.warn({ service: this.#name, replica: name, output }, `last output of ${name}`);
      },
      (cause: unknown) => logger.debug({ replica: name, cause: String(cause) }, 'no output of a failed start'),
    );
  }
}
