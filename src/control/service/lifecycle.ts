import type { StartCause } from '../../model/replica.ts';
import type { Instance, ReplicaSpec } from '../../model/runtime.ts';
import type { RunSettings, ServiceSettings } from '../../model/settings.ts';
import type { ServiceFacts } from '../endpoints/registry.ts';
import type { DecisionLog } from '../journal/decision-log.ts';
import type { AdoptingService } from '../replica/adoption.ts';
import type { Replica } from '../replica/replica.ts';
import { sickAfter } from '../replica/replica-health.ts';
import { ReplicaSet } from '../replica/replica-set.ts';
import { StartFailures } from '../replica/start-failures.ts';
import { StartBreaker } from '../start/breaker.ts';
import type { Loss } from '../start/cheapest-to-lose.ts';
import { CRASH_MS, scalingAllowance } from '../start/circuit.ts';
import { Crashes } from '../start/crashes.ts';
import type { MemoryFacts } from '../start/memory-budget.ts';
import type { BudgetFacts } from '../start/replica-budget.ts';
import { StartTimes } from '../start/start-times.ts';
import { apply } from './apply.ts';
import { askOf } from './ask.ts';
import { Executor } from './executor.ts';
import type { Member } from './groups.ts';
import { type Known, viewOf } from './known.ts';
import { type MemoryKnown, stakeOf } from './memory-stake.ts';
import { Outcomes } from './outcomes.ts';
import { isDormant, plan } from './plan.ts';
import { hashOf, ServiceRun } from './run.ts';
import type { ServiceEvent } from './service-event.ts';
import { type Intent, newIntent, returnableIn, type ServiceView } from './service-view.ts';

interface LifecycleOptions extends Omit<Known, 'set' | 'run' | 'breaker'> {
  decisions: DecisionLog;
  /** Replicas of our own that scaling would have if there were room in the budget; undefined: no more than there are. */
  wish: () => number | undefined;
  /** A replica was given up to another service. */
  gaveUp: () => void;
  /** Most requests in flight per replica and edge while a further one is started; undefined: no such bound. */
  inFlightLimit: () => number | undefined;
}

/**
 * The life of one service's replicas. What happens to the service goes in here as events; each changes what is intended
 * with it, and the plan that follows is carried out at once. Whatever else may have changed, it is looked at again.
 */
export class ServiceLifecycle {
  readonly set: ReplicaSet;
  readonly breaker: StartBreaker;
  readonly failures: StartFailures;
  readonly crashes: Crashes;
  readonly #name: string;
  readonly #options: LifecycleOptions;
  readonly #run: ServiceRun;
  readonly #startTimes = new StartTimes();
  readonly #outcomes: Outcomes;
  readonly #executor: Executor;
  readonly #known: Known;
  #intent: Intent = newIntent;
  #isDormant = false;
  /** Who waits for the end of all replicas. */
  readonly #waiting: (() => void)[] = [];

  constructor(options: LifecycleOptions) {
    const { host, settings, decisions } = options;
    const { context, gate, hub, registry } = host;
    this.#name = settings().name;
    this.#options = options;
    this.#run = new ServiceRun({
      ...options,
      keepMs: () => options.idling.keepMs,
      pauses: () => options.idling.pauses,
    });
    this.breaker = new StartBreaker(context.clock, context.random, () => {
      registry.publish(this.#name);
      this.look();
    });
    this.crashes = new Crashes(context.clock, this.breaker);
    this.failures = new StartFailures(context, (failure) => {
      const hash = this.#run.last === undefined ? '' : hashOf(this.#run.last);
      decisions.startFailed(failure, this.ready.filter(({ spec }) => spec.hash !== hash).length);
    });
    this.#outcomes = new Outcomes(this, {
      ...options,
      run: this.#run,
      breaker: this.breaker,
      failures: this.failures,
      crashes: this.crashes,
      startTimes: this.#startTimes,
    });
    this.set = new ReplicaSet({
      service: this.#name,
      context,
      gate,
      hub,
      loadOf: (endpoint) => options.telemetry.loadOf(endpoint),
      settings: () => this.#run.replicaSettings,
      listener: this.#outcomes,
      publish: () => registry.publish(this.#name),
      mayEnd: () => host.mayEnd(),
    });
    this.#known = { ...options, set: this.set, run: this.#run, breaker: this.breaker };
    this.#executor = new Executor({
      clock: context.clock,
      set: this.set,
      breaker: this.breaker,
      decisions,
      prepare: (replica) => this.#run.prepare(replica),
      happened: (event) => this.happened(event),
      look: () => this.look(),
    });
  }

  // What others ask

  /** Its `run`, also while what is left of a removed one ends. */
  get run(): RunSettings | undefined {
    return this.#run.last;
  }

  get isLeaving(): boolean {
    return this.#intent.mode === 'leaving';
  }

  /** An operator asked for it, and it is not ready yet. */
  get isWoken(): boolean {
    return this.#intent.isWoken;
  }

  /** Whether any endpoint may get requests. */
  get isAwake(): boolean {
    return this.set.counts.ready + this.external > 0;
  }

  /**
   * Until something happens, which is looked at then, another look would find nothing to do. Spares 10,000 sleeping
   * services 30 % of a core.
   */
  get isDormant(): boolean {
    return this.#isDormant;
  }

  /** Since when, the clock's ms; undefined while asleep. */
  get awakeSince(): number | undefined {
    return this.#intent.awakeSince;
  }

  /** Endpoints in use that others run. */
  get external(): number {
    return this.#options.host.registry.external(this.#name).length;
  }

  /** Those that became ready last come first. */
  get ready(): Replica[] {
    return this.set.replicas.filter(({ state }) => state === 'ready').sort((a, b) => b.readyAt - a.readyAt);
  }

  /** How many starts that scaling asks for may begin now. */
  get startsToScale(): number {
    const now = this.#options.host.context.clock.now();
    const { hash } = this.#run.view ?? {};
    const isProven = this.ready.some(({ spec, readyAt }) => spec.hash === hash && now - readyAt >= CRASH_MS);
    return scalingAllowance(this.breaker.circuit, now, isProven);
  }

  /** How many more the budget allows it than there are and are coming; may be negative. */
  get budgetLeft(): number {
    const back = returnableIn({ replicas: this.set.views(), run: this.#run.view }).length;
    return this.#options.host.gate.leftFor(this.#name, back) - this.set.counts.queued;
  }

  /** Who has what of the budgets, where there is no room for all that it may be scaled to. */
  get budgetFacts(): BudgetFacts & MemoryFacts {
    const { host, idling, settings } = this.#options;
    const memory = host.memory.factsFor(this.#name, idling.needMiB, settings().scale.max, this.set.counts.queued);
    return { ...host.gate.factsFor(this.#name), ...memory };
  }

  /** What may be running or pre-positioned of it. */
  get specs(): ReplicaSpec[] {
    return this.#run.specs;
  }

  /** How found replicas are sorted; undefined where there is no place for any. */
  get adopting(): AdoptingService | undefined {
    const { run, scale } = this.#options.settings();
    if (run === undefined || this.isLeaving) return undefined;
    const live = this.set.replicas.filter(({ isThere }) => isThere);
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
      holdTimeoutMs: this.#startTimes.holdTimeoutMs(this.#options.settings().hold.timeoutMs),
      starting: queued + starting > 0,
      expectedStartMs: this.#startTimes.expectedMs,
      blockedUntil: contact.contact === 'unreachable' ? contact.retryAt : this.breaker.refusedUntil,
      failures: this.#intent.failures,
      inFlightLimit: this.#options.inFlightLimit() ?? null,
      startSpan: this.set.startSpan,
    };
  }

  /** What its group knows of it. */
  member(): Member {
    const { settings, telemetry, idling } = this.#options;
    return {
      name: this.#name,
      isAsked: telemetry.held > 0 || this.#intent.isWoken,
      isBusy: telemetry.busy,
      isUp: this.isAwake,
      isThere: this.isAwake || this.set.counts.live > 0,
      follows: settings().routes.length === 0,
      idleSince: Math.max(telemetry.lastActivityAt, this.ready[0]?.readyAt ?? 0),
      keepMs: idling.keepMs,
    };
  }

  // What happens

  /** Takes an event into what is intended with the service, and carries out what is planned for it. */
  happened(event: ServiceEvent): void {
    this.#executor.carryOut(plan(this.#after(event)));
    if (event.type === 'retiring' && event.reason === 'given-up') this.#options.gaveUp();
    this.askBudget();
  }

  /**
   * Brings about what is wanted as far as may be now. Safe to call at any time, any number of times.
   * @param cause why a replica is missing that nothing else asks for
   */
  look(cause: StartCause = 'replacement'): void {
    this.#isDormant = false;
    this.#executor.stopTimer();
    const view = this.#after({ type: 'looked', cause });
    const steps = plan(view);
    this.#executor.carryOut(steps);
    this.askBudget(steps.length === 0 ? view : undefined);
    this.#isDormant = steps.every((step) => step.do === 'look-again') && isDormant(view);
    if (view.run !== undefined && view.intent.mode !== 'leaving') this.#options.host.registry.soon(this.#name);
    this.#options.host.groups.looked(this.#name);
  }

  /** The edges told how replicas are. */
  examine(): void {
    const { settings, telemetry } = this.#options;
    const { health } = settings();
    if (health === undefined) return;
    const sick = this.set.examine((endpoint) => telemetry.isUnhealthy(endpoint), sickAfter(health.intervalMs));
    for (const replica of sick) this.#outcomes.onSick(replica);
  }

  wake(): void {
    this.happened({ type: 'woken' });
    this.look();
  }

  sleep(): void {
    this.happened({ type: 'slept' });
  }

  /** The scaler decided on so many replicas. */
  scaleTo(count: number): void {
    const isMore = count > this.set.counts.ready;
    this.happened({ type: 'scaled', to: count });
    if (isMore) this.look('scale-up');
  }

  /** An operator wants so many replicas. */
  scaleByHand(count: number): void {
    this.happened({ type: 'scaled-by-hand', to: count });
    this.look('by-hand');
  }

  /** An operator takes one replica out, or has it back while it retires. */
  drainByHand(ordinal: number, drain: boolean): void {
    this.happened({ type: 'drained-by-hand', ordinal, drain });
    this.look();
  }

  /** The configuration changed. */
  reconfigured(before: ServiceSettings): void {
    const { run, health } = this.#options.settings();
    // Nothing says how they are any more.
    if (health === undefined) this.set.examine(() => false, 0);
    const change = run === undefined ? 'none' : this.#isOther(before) ? 'other' : 'same';
    if (change === 'other') this.#outcomes.forget();
    const inPlace = change === 'other' && this.#run.change();
    this.happened({ type: 'configured', run: change, inPlace, maxBefore: before.scale.max });
    // Of another container it may run already.
    if (change === 'other') this.#run.relist();
    this.#outcomes.listAgain(this.ready);
    this.look();
  }

  /** The service is in the configuration no more: what runs of it is drained and stopped. */
  remove(): void {
    this.happened({ type: 'removed' });
    this.settle();
  }

  /** Ends all at once: nothing is sent to them any more. */
  stopNow(): void {
    this.happened({ type: 'ended' });
  }

  /** A successor takes over: nothing more is begun, and what can be had back of retires is. */
  letGo(): void {
    this.happened({ type: 'handed-over' });
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
    this.#outcomes.onAdopting(adopted, reason);
    this.look();
    return adopted;
  }

  /** Takes note of replicas that are paused. */
  park(instances: readonly Instance[]): void {
    for (const instance of instances) this.set.park(instance);
    this.look();
  }

  /** A reload brought the service: what runs of it already is looked for. */
  onAdded(): void {
    this.onContact();
    this.#run.relist();
  }

  /** Whether anything may be started has changed: the list of what runs is there, or was refused. */
  onContact(): void {
    this.happened({ type: 'contacted' });
    this.#options.host.registry.publish(this.#name);
    this.look();
  }

  /** Tells who waits for the end of all replicas, if there are none. */
  settle(): void {
    if (this.set.counts.live > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
    if (this.isLeaving) this.#options.host.onGone(this.#name);
  }

  /** Tells the start gate what it asks of the budget of all services by now. */
  askBudget(view = this.#view({ type: 'looked', cause: 'replacement' })): void {
    const { gate, memory } = this.#options.host;
    gate.ask(this.#name, askOf(view, this.#options.wish()));
    if (memory.isKept) memory.put(this.#name, stakeOf(view, this.#memoryKnown, this.#name));
  }

  /** Replicas are to go, as others need their memory: those that are still not in use do. */
  makeRoom(losses: readonly Loss[], why: string): void {
    const { startMs } = this.#options.idling;
    this.happened({ type: 'room-wanted', ordinals: losses.map(({ ordinal }) => ordinal), startMs, why });
  }

  /** Lets go of every timer. */
  close(): void {
    this.#options.host.gate.ask(this.#name, undefined);
    this.#options.host.memory.put(this.#name, undefined);
    this.#executor.stopTimer();
    this.breaker.close();
  }

  get #memoryKnown(): MemoryKnown {
    const { needMiB, isMeasured, startMs, callsPerHour } = this.#options.idling;
    const memoryOf = (ordinal: number) => this.#options.idling.memoryOf(this.set.at(ordinal).instance?.id);
    return { needMiB, isMeasured, startMs, callsPerHour, memoryOf };
  }

  #isOther({ run: before }: ServiceSettings): boolean {
    const { run } = this.#options.settings();
    return run !== undefined && (before === undefined || hashOf(run) !== hashOf(before));
  }

  /** The view after an event. Nowhere else does what is intended change. */
  #after(event: ServiceEvent): ServiceView {
    const view = apply(this.#view(event), event);
    this.#intent = view.intent;
    return view;
  }

  #view(news: ServiceEvent): ServiceView {
    return viewOf(this.#known, news, this.#intent);
  }
}
