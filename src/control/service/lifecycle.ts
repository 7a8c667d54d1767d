import type { Instance, ReplicaSpec } from '../../model/runtime.ts';
import type { RunSettings, ServiceSettings } from '../../model/settings.ts';
import type { ServiceFacts } from '../endpoints/registry.ts';
import type { DecisionLog } from '../journal/decision-log.ts';
import type { Telemetry } from '../link/telemetry.ts';
import type { AdoptingService } from '../replica/adoption.ts';
import type { Replica, StartCause } from '../replica/replica.ts';
import { ReplicaSet } from '../replica/replica-set.ts';
import type { RetireReason } from '../replica/retire.ts';
import { StartFailures } from '../replica/start-failures.ts';
import { victimsFirst } from '../scale/victims.ts';
import { StartBreaker } from '../start/breaker.ts';
import { StartTimes } from '../start/start-times.ts';
import type { ServiceHost } from './host.ts';
import { type OutcomesService, ReplicaOutcomes } from './outcomes.ts';
import { ServiceRun } from './run.ts';
import { planShrink } from './shrink-plan.ts';
import { hashOf, nextReplacement } from './spec-change.ts';
import { planStarts } from './start-plan.ts';
import { Target } from './target.ts';

export interface LifecycleOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  decisions: DecisionLog;
  /** Completions per second that one replica sustained; undefined while unknown. */
  sustained: () => number | undefined;
  /** Replicas became ready, or ended. */
  onSettled: () => void;
}

/**
 * The life of one service's replicas: which are missing, which are too many, and what is done about it. Asked again
 * after every change (`evaluate`), it brings about what is wanted as far as may be.
 */
export class ServiceLifecycle implements OutcomesService {
  readonly set: ReplicaSet;
  readonly breaker: StartBreaker;
  readonly failures: StartFailures;
  readonly #name: string;
  readonly #host: ServiceHost;
  readonly #settings: () => ServiceSettings;
  readonly #telemetry: Telemetry;
  readonly #decisions: DecisionLog;
  readonly #demand: Target;
  readonly #run: ServiceRun;
  readonly #startTimes = new StartTimes();
  readonly #outcomes: ReplicaOutcomes;
  #isDormant = false;
  #awakeSince: number | undefined;
  /** Who waits for the end of all replicas. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: LifecycleOptions) {
    const { host, settings, telemetry, decisions } = options;
    const { context, gate, hub, registry } = host;
    this.#name = settings().name;
    this.#host = host;
    this.#settings = settings;
    this.#telemetry = telemetry;
    this.#decisions = decisions;
    this.#demand = new Target(options);
    this.#run = new ServiceRun(options);
    this.breaker = new StartBreaker(context.clock, context.random, () => {
      registry.publish(this.#name);
      this.evaluate();
    });
    this.failures = new StartFailures(context, (failure) => {
      const hash = this.#run.last === undefined ? '' : hashOf(this.#run.last);
      decisions.startFailed(
        failure,
        this.ready.some(({ spec }) => spec.hash !== hash),
      );
    });
    this.#outcomes = new ReplicaOutcomes(this, {
      ...options,
      demand: this.#demand,
      run: this.#run,
      breaker: this.breaker,
      failures: this.failures,
      startTimes: this.#startTimes,
    });
    this.set = new ReplicaSet({
      service: this.#name,
      context,
      gate,
      hub,
      settings: () => this.#run.replicaSettings,
      listener: this.#outcomes,
      publish: () => registry.publish(this.#name),
      mayEnd: () => host.mayEnd(),
    });
  }

  // What others ask

  /** Its `run`, also while what is left of a removed one ends. */
  get run(): RunSettings | undefined {
    return this.#run.last;
  }

  get isLeaving(): boolean {
    return this.#demand.isLeaving;
  }

  /** Whether any endpoint may get requests. */
  get isAwake(): boolean {
    return this.#available > 0;
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

  /** Adopted replicas have to be watched for a while, the clock's ms. */
  get idleNotBefore(): number {
    return this.#outcomes.idleNotBefore;
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
    return this.#run.specs;
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
    const { contact } = this.#run;
    return {
      owned: this.set.endpoints,
      addresses: this.set.addresses,
      holdTimeoutMs: this.#startTimes.holdTimeoutMs(this.#settings().hold.timeoutMs),
      starting: queued + starting > 0,
      expectedStartMs: this.#startTimes.expectedMs,
      blockedUntil: contact.contact === 'unreachable' ? contact.retryAt : this.breaker.refusedUntil,
      failures: this.#outcomes.failures,
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
    if (this.#run.contact.contact === 'known') {
      const asked = this.#demand.isAsked;
      if (asked) this.#answerDemand();
      else if (!this.isAwake) this.#demand.forget(this.set.counts);
      const wanted = this.#wanted;
      if (this.isAwake || asked) this.#demand.raiseTarget(wanted);
      this.#startUpTo(wanted, cause);
      if (!this.#host.isDraining()) this.#replaceOutdated();
      this.#isDormant = wanted === 0 && !this.isAwake && this.#isQuiet;
    }
    this.#host.registry.soon(this.#name);
  }

  wake(): void {
    this.#demand.resume();
    if (this.set.counts.ready > 0) return;
    this.#demand.wake();
    if (this.breaker.blockedUntil !== undefined) this.breaker.note({ type: 'forgiven' });
    this.evaluate();
  }

  sleep(): void {
    this.#demand.sleep();
    this.set.hurryRetires();
    // What requests wait for is not called off: they would only ask again.
    if (this.#telemetry.held === 0) this.#callOffStarts();
    this.retire(this.ready, 'by-hand');
  }

  /** So many replicas from now on. */
  scaleUp(to: number): void {
    this.#demand.target = to;
    this.evaluate('scale-up');
  }

  scaleDown(victim: Replica, to: number): void {
    this.#demand.target = to;
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
    this.#decisions.retiring(reason, replicas, ready, detail);
    if (reason !== 'replaced') this.#demand.target = Math.max(0, ready - replicas.length);
    this.set.retire(replicas, reason);
  }

  /** The configuration changed. */
  reconfigured(before: ServiceSettings): void {
    const { run, scale } = this.#settings();
    if (this.isLeaving) this.#demand.resume();
    if (run === undefined) {
      this.#endAll();
    } else if (before.run === undefined || hashOf(run) !== hashOf(before.run)) {
      this.#runChanged(run);
    } else if (scale.max > before.scale.max) {
      this.prepareAll();
    }
    // What they are listed as may be another name or tag now.
    for (const replica of this.ready) this.#host.catalog.putReplica(this.#settings(), replica);
    // Never without cause: during a replacement there is one more than `max`.
    if (run !== undefined && scale.max < before.scale.max) this.#shrink(hashOf(run), scale.max);
    this.#host.registry.soon(this.#name);
    this.evaluate();
  }

  /** The service is in the configuration no more: what runs of it is drained and stopped. */
  remove(): void {
    this.#demand.leave();
    this.#endAll();
    this.settle();
  }

  /** Ends all at once: nothing is sent to them any more. */
  stopNow(): void {
    this.#demand.leave();
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
    this.#decisions.adopting(live - adopted, live, reason);
    this.#host.registry.publish(this.#name);
    this.evaluate();
    return adopted;
  }

  /** A reload brought the service: what runs of it already is looked for. */
  onAdded(): void {
    this.onContact();
    this.#run.relist();
  }

  /** Whether anything may be started has changed: the list of what runs is there, or was refused. */
  onContact(): void {
    const { contact } = this.#run.contact;
    if (contact === 'known') this.prepareAll();
    else if (contact === 'unreachable' && !this.isAwake) this.#outcomes.cannotStart();
    this.#host.registry.publish(this.#name);
    this.evaluate();
  }

  /** Pre-positions whatever does not run. */
  prepareAll(): void {
    const { scale } = this.#settings();
    if (!this.#run.prepares || this.#run.contact.contact !== 'known') return;
    for (let ordinal = 1; ordinal <= scale.max; ordinal++) this.#prepare(this.set.at(ordinal));
  }

  close(): void {
    this.breaker.close();
  }

  // What follows when replicas end

  /** A replica runs no more: its place is free. */
  freed(replica: Replica): void {
    this.#host.registry.publish(this.#name);
    this.#prepare(replica);
    this.evaluate();
    this.settle();
  }

  /** Tells who waits for the end of all replicas, if there are none. */
  settle(): void {
    if (this.set.counts.live > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
    if (this.isLeaving) this.#host.onGone(this.#name);
  }

  // Steps towards what is wanted

  /** Something asks for the service. */
  #answerDemand(): void {
    this.#demand.resume();
    if (this.isAwake) return;
    this.#demand.noteArrivals();
    this.set.hurry();
    if (this.set.counts.retiring > 0) this.set.revoke(this.#wanted);
  }

  #startUpTo(wanted: number, otherwise: StartCause): void {
    this.#takeBack(wanted);
    const { counts } = this.set;
    const { min, max } = this.#settings().scale;
    const demand = this.#demand.inputs(this.#available);
    const { target } = this.#demand;
    const startsAllowed = this.#host.mayStart() ? this.breaker.allowance : 0;
    const plan = planStarts({ demand, wanted, target, counts, startsAllowed, min, max, otherwise });
    if (plan.withdraw > 0) this.set.withdrawQueued(plan.withdraw, ({ cause }) => cause !== 'new-run');
    if (plan.start === 0) return;
    this.#start(plan.cause, plan.start);
    const there = counts.queued + counts.starting + counts.ready;
    const inputs = { ...demand, wanted };
    if (demand.ready === 0) this.#decisions.waking(plan.cause, there, there + plan.start, inputs);
    else if (plan.cause !== 'scale-up') this.#decisions.refilling(plan.cause, there, there + plan.start, inputs);
  }

  /** What drains without haste is there at once, and takes no room besides. */
  #takeBack(wanted: number): void {
    const { run } = this.#settings();
    const { queued, starting, ready, retiring } = this.set.counts;
    const missing = wanted - queued - starting - ready;
    if (run !== undefined && retiring > 0 && missing > 0) this.set.takeBack(missing, hashOf(run));
  }

  #replaceOutdated(): void {
    const { run, scale } = this.#settings();
    const { replicas, counts } = this.set;
    if (run === undefined || counts.ready === 0) return;
    const next = nextReplacement({
      replicas,
      counts,
      hash: hashOf(run),
      wanted: this.#wanted,
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
    this.#demand.dropWake();
    this.set.hurryRetires();
    this.#callOffStarts();
    this.retire(this.ready, 'removed');
  }

  #shrink(hash: string, max: number): void {
    const { replicas, counts } = this.set;
    const ready = victimsFirst(this.ready, (endpoint) => this.#telemetry.loadOf(endpoint));
    const plan = planShrink({ replicas, ready, counts, hash, max });
    this.set.withdrawQueued(plan.queued);
    this.set.withdrawStarting((replica) => plan.starting.includes(replica));
    this.retire(plan.retire, 'scale-down', { text: `over max ${max}` });
  }

  #runChanged(run: RunSettings): void {
    const hash = hashOf(run);
    this.set.hurryRetires();
    const inPlace = this.#run.change(run);
    this.breaker.note({ type: 'forgiven' });
    this.failures.mend();
    this.#startTimes.forget();
    // What is only starting, with the old one, need not get ready first.
    this.set.withdrawStarting(({ spec }) => spec.hash !== hash);
    if (inPlace) this.retire(this.ready, 'reconfigured');
    this.prepareAll();
    // Of another container it may run already.
    this.#run.relist();
  }

  // Small things

  /** Endpoints that may get requests, those that others run included. */
  get #available(): number {
    return this.set.counts.ready + this.external;
  }

  get #wanted(): number {
    return this.#demand.wanted(this.#available);
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
    this.#demand.satisfied();
  }

  #prepare(replica: Replica): void {
    if (!this.isLeaving) this.#run.prepare(replica);
  }
}
