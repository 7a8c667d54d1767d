import { PilotlightError } from '../model/errors.ts';
import type { ServiceReport } from '../model/link.ts';
import type { ReplicaState } from '../model/replica.ts';
import type { Instance, ReplicaSpec, Runtime } from '../model/runtime.ts';
import type { RunSettings, ServiceSettings, Settings } from '../model/settings.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { Timer } from '../util/clock.ts';
import { runHash } from '../util/hash.ts';
import type { AdoptingService } from './adoption.ts';
import { allowance, blockedUntil, type CircuitEvent, isFailing, newCircuit, nextCircuit } from './circuit.ts';
import type { ControlContext } from './context.ts';
import { wantedReplicas } from './demand.ts';
import { IdleWatch } from './idle-watch.ts';
import type { LinkHub } from './link-hub.ts';
import { Narrator } from './narrator.ts';
import { readyCheck } from './ready-check.ts';
import type { Registrations } from './registration.ts';
import { replicaRegistration, replicaRegistrationId } from './registration-names.ts';
import type { Registry, ServiceFacts } from './registry.ts';
import type { Replica, StartCause } from './replica.ts';
import { PROBATION_MS, ReplicaSet, type ReplicaSetListener, type ReplicaSettings } from './replica-set.ts';
import { countReport } from './report-metrics.ts';
import type { RetireReason } from './retire.ts';
import type { RuntimeContact } from './runtime-monitor.ts';
import { type ScaleDecision, ServiceScaler } from './service-scaler.ts';
import { nextReplacement } from './spec-change.ts';
import type { Standby } from './standby.ts';
import type { StartGate } from './start-gate.ts';
import { StartTimes } from './start-times.ts';
import { serviceStatus } from './status.ts';
import { Telemetry } from './telemetry.ts';

/** What a service controller shares with the others. */
export interface ServiceHost {
  context: ControlContext;
  gate: StartGate;
  hub: LinkHub;
  registry: Registry;
  registrations: Registrations;
  standby: Standby;
  settings: () => Settings;
  /** @throws RUNTIME_UNREACHABLE where there is no such runtime */
  runtime: (run: RunSettings) => Runtime;
  contact: (run: RunSettings) => RuntimeContact;
  /** Lists what the runtime runs again. */
  relist: (run: RunSettings) => void;
  /** No starts but for requests that wait, no retires: the proxy is about to end. */
  isDraining: () => boolean;
  onUnresponsive: (edge: string) => void;
  /** A removed service has nothing left. */
  onGone: (service: ServiceController) => void;
}

/** Every state that the replicas gauge counts. */
const replicaStates: readonly ReplicaState[] = [
  'created',
  'starting',
  'ready',
  'cordoned',
  'draining',
  'stopping',
  'stopped',
  'paused',
  'failed',
];

/** `slept`: an operator put it to sleep, so `min` is not kept until something asks for it. `leaving`: it was removed. */
type Mode = 'automatic' | 'slept' | 'leaving';

/** Decides for one service: when to start, how many, when to retire. How that is done is `ReplicaSet`'s. */
export class ServiceController implements ReplicaSetListener {
  readonly name: string;
  readonly set: ReplicaSet;
  readonly telemetry: Telemetry;
  readonly #host: ServiceHost;
  readonly #narrator: Narrator;
  readonly #scaler: ServiceScaler;
  readonly #idle: IdleWatch;
  #settings: ServiceSettings;
  /** The last `run` there was: what runs of it is still to be ended when the service has none any more. */
  #run: RunSettings | undefined;
  #hash: string;
  #mode: Mode = 'automatic';
  #circuit = newCircuit;
  #circuitTimer: Timer | undefined;
  #startTimes = new StartTimes();
  #failures = 0;
  /** An operator asked for it, and it is not ready yet. */
  #woken = false;
  /** Replicas of our own that it should have while it is awake. */
  #target = 0;
  /** Arrivals per second just before it was asked for; undefined while nothing asks. */
  #arrivalsBefore: number | undefined;
  #awakeSince: number | undefined;
  #idleNotBefore = 0;
  readonly #probations = new Set<Timer>();
  /** Who waits for the end of all replicas. */
  readonly #waiting: (() => void)[] = [];

  constructor(settings: ServiceSettings, host: ServiceHost) {
    const { context, gate, hub, registry } = host;
    this.name = settings.name;
    this.#settings = settings;
    this.#run = settings.run;
    this.#hash = settings.run === undefined ? '' : runHash(settings.run);
    this.#host = host;
    this.telemetry = new Telemetry(keepMs(settings));
    this.#narrator = new Narrator(this.name, context);
    this.#scaler = new ServiceScaler(context.clock, this.telemetry, () => this.#settings);
    this.#idle = new IdleWatch(
      context.clock,
      () => this.#idleInputs(),
      (idleForMs) => this.#retireIdle(idleForMs),
    );
    this.set = new ReplicaSet({
      service: this.name,
      context,
      gate,
      hub,
      settings: () => this.#replicaSettings(),
      listener: this,
      publish: () => registry.publish(this.name),
    });
    registry.add(this.name, {
      wakeable: () => this.#settings.run !== undefined,
      check: () => readyCheck(this.#settings),
      facts: () => this.#facts(),
    });
  }

  get settings(): ServiceSettings {
    return this.#settings;
  }

  /** Its `run`, also while what is left of a removed one ends. */
  get run(): RunSettings | undefined {
    return this.#run;
  }

  /** What may be running or pre-positioned of it. */
  get specs(): ReplicaSpec[] {
    const { run } = this.#settings;
    if (run === undefined) return [];
    return Array.from({ length: this.#settings.scale.max }, (_, index) => this.#spec(run, index + 1));
  }

  /** How found replicas are sorted. */
  get adopting(): AdoptingService | undefined {
    const { run, scale } = this.#settings;
    if (run === undefined || this.#mode === 'leaving') return undefined;
    const live = this.set.replicas.filter(({ isLive }) => isLive);
    return {
      hash: this.#hash,
      max: scale.max,
      live: live.length,
      taken: new Set(live.map(({ ordinal }) => ordinal)),
      foreign: run.kind === 'docker-container',
    };
  }

  // What the edges say

  onDemand(edge: string, held: number, inFlight: number): void {
    const waitedBefore = this.telemetry.held > 0;
    this.telemetry.demand(edge, this.#now(), held, inFlight);
    this.evaluate();
    if (held > 0 && this.#isAwake && this.#settings.scale.concurrency > 0) this.#hurryScaler();
    else if (waitedBefore && held === 0) this.#idle.check();
  }

  /** @param report undefined where the edge had nothing to say of the service */
  onReport(edge: string, spanMs: number, report: ServiceReport | undefined): void {
    this.telemetry.report(edge, this.#now(), spanMs, report, {
      ready: this.set.counts.ready + this.#external,
      isWarm: (endpoint) => this.#isWarm(endpoint),
    });
    if (report !== undefined) countReport(this.#host.context.metrics, report);
    this.evaluate();
    this.#idle.check();
  }

  onAck(edge: string, ack: { version: number; endpoint: string; inFlight: number; quiet: number; idleForMs: number }) {
    this.telemetry.acknowledged(edge, this.#now(), ack.idleForMs);
    this.set.onAck(edge, ack.endpoint, ack);
  }

  onSuspect(endpoint: string): void {
    const replica = this.set.byEndpoint(endpoint);
    if (replica === undefined) this.#host.registry.doubt(this.name, endpoint);
    else this.set.verify(replica);
  }

  onDetached(edge: string): void {
    this.telemetry.forget(edge);
    this.set.onDetached(edge);
    this.#idle.check();
  }

  // What the runtime says

  /** Started by somebody else, or an event about a start of ours. */
  onStartedEvent(instance: Instance): void {
    const replica = this.set.adopt(instance);
    if (replica === undefined) {
      for (const { ordinal } of this.set.replicas)
        if (ordinal === instance.ordinal) this.set.verify(this.set.at(ordinal));
      return;
    }
    this.#scaler.changedByHand();
    this.#adopted(1, 'started by somebody else');
  }

  /** Found running at boot, or after contact was lost. */
  adopt(instances: readonly Instance[]): void {
    const adopted = instances.filter((instance) => this.set.adopt(instance) !== undefined).length;
    if (adopted > 0) this.#adopted(adopted, 'found running');
  }

  /** The list of what runs is complete, or failed: whether anything may be started has changed. */
  onContact(): void {
    if (this.#contact === 'known') this.#prepareAll();
    // Nothing can be started: who waits for it is answered.
    else if (this.#contact === 'unreachable' && !this.#isAwake) this.#failures++;
    this.#host.registry.publish(this.name);
    this.evaluate();
  }

  // What operators and the configuration say

  /** @throws SERVICE_NOT_RUNNABLE */
  wake(): void {
    this.#assertRunnable();
    this.#mode = 'automatic';
    if (this.set.counts.ready > 0) return;
    this.#woken = true;
    if (blockedUntil(this.#circuit, this.#now()) !== undefined) this.#stepCircuit({ type: 'forgiven' });
    this.evaluate();
  }

  /** @throws SERVICE_NOT_RUNNABLE */
  sleep(): void {
    this.#assertRunnable();
    this.#mode = 'slept';
    this.#woken = false;
    this.#target = 0;
    if (this.telemetry.held === 0) {
      this.set.withdrawQueued();
      this.set.withdrawStarting(() => true);
    }
    this.#retire(this.#ready, 'by-hand');
  }

  /** Takes over another configuration of the service; also brings back one that was removed a moment ago. */
  update(settings: ServiceSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    this.telemetry.window.keepMs = keepMs(settings);
    if (this.#mode === 'leaving') this.#mode = 'automatic';
    const hash = settings.run === undefined ? '' : runHash(settings.run);
    if (settings.run === undefined) {
      this.#endAll();
    } else if (hash !== this.#hash) {
      this.#runChanged(settings.run, hash);
    } else if (settings.scale.max < before.scale.max) {
      this.#shrink(settings.scale.max);
    } else if (settings.scale.max > before.scale.max) {
      this.#prepareAll();
    }
    this.#hash = hash;
    this.evaluate();
    this.#idle.check();
  }

  /** The service is in the configuration no more: what runs of it is drained and stopped. */
  remove(): void {
    this.#mode = 'leaving';
    this.#idle.stop();
    this.#endAll();
    this.#finishLeaving();
  }

  /** Once a second. */
  tick(elapsedMs: number): void {
    this.#meter(elapsedMs);
    if (this.#mode === 'leaving' || this.#host.isDraining()) return;
    this.evaluate();
    if (this.#isAwake && this.#settings.run !== undefined && this.#host.hub.fresh) {
      this.#follow(this.#scaler.tick(this.#scaled()));
    }
    this.#idle.check();
  }

  status(): ServiceStatus {
    const { telemetry, set, name } = this;
    const { run, scale } = this.#settings;
    return serviceStatus({
      name,
      wakeable: run !== undefined,
      counts: set.counts,
      replicas: set.replicas,
      external: this.#host.registry.external(name),
      failing: isFailing(this.#circuit),
      inFlight: telemetry.inFlight,
      held: telemetry.held,
      inFlightOn: (endpoint) => telemetry.inFlightOn(endpoint),
      quantiles: telemetry.window.quantiles(this.#now(), scale.latency.windowMs, [0.5, 0.95, 0.99]),
      lastDecision: this.#narrator.journal.last,
    });
  }

  get journal(): Narrator['journal'] {
    return this.#narrator.journal;
  }

  /** Stops all replicas without waiting for anything in flight. */
  stopNow(): void {
    this.#mode = 'leaving';
    this.set.stopNow('shutdown');
  }

  /** Resolves when nothing of it runs any more. */
  stopped(): Promise<void> {
    if (this.set.counts.live === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sets the gauges to what is known now. */
  gauge(): void {
    const { metrics } = this.#host.context;
    const service = this.name;
    metrics.gauge('pilotlight_in_flight', { service }, this.telemetry.inFlight);
    metrics.gauge('pilotlight_held', { service }, this.telemetry.held);
    metrics.gauge('pilotlight_held_bytes', { service }, this.telemetry.heldBytes);
    const replicas = this.set.replicas;
    for (const state of replicaStates) {
      const count = replicas.filter((replica) => replica.state === state).length;
      metrics.gauge('pilotlight_replicas', { service, state }, count);
    }
  }

  /** Lets go of every timer. */
  close(): void {
    this.#idle.stop();
    this.#circuitTimer?.cancel();
    for (const timer of this.#probations) timer.cancel();
  }

  /**
   * Brings about what is wanted as far as may be now: revokes retires, queues starts, replaces what is outdated. Safe to
   * call at any time, any number of times.
   */
  evaluate(cause: StartCause = 'replacement'): void {
    const { registry } = this.#host;
    this.#noteAwake();
    if (this.#mode === 'leaving' || this.#settings.run === undefined) return;
    if (this.#contact === 'known') {
      const demanded = this.telemetry.held > 0 || this.#woken;
      if (demanded) this.#answerDemand();
      const wanted = this.#wanted();
      if (this.#isAwake || demanded) this.#target = Math.max(this.#target, wanted);
      this.#startUpTo(wanted, cause);
      if (!this.#host.isDraining()) this.#replaceOutdated();
    }
    registry.soon(this.name);
  }

  // What becomes of replicas

  onChange(): void {
    this.#host.registry.soon(this.name);
  }

  onStarting(_replica: Replica): void {
    this.#host.registry.soon(this.name);
  }

  onReady(replica: Replica, cause: StartCause | undefined): void {
    const { clock } = this.#host.context;
    const { start } = replica;
    if (start === undefined) {
      const { scale } = this.#settings;
      const watch = Math.max(scale.idleMs === 'never' ? 0 : scale.idleMs, scale.latency.windowMs);
      this.#idleNotBefore = clock.now() + watch;
      this.#target = Math.max(this.#target, this.set.counts.ready);
    } else {
      this.#startTimes.add(start.ready - start.permit);
      this.#stepCircuit({ type: 'ready', askedAt: start.asked });
      this.#proveLater(start.asked);
    }
    this.#narrator.ready(replica, cause, this.telemetry.held);
    this.#register(replica);
    this.evaluate();
    this.#idle.check();
  }

  onStartFailed(replica: Replica, error: PilotlightError, _cause: StartCause, askedAt: number): void {
    this.#unregister(replica);
    this.#stepCircuit({ type: 'failed', askedAt, retrySafe: error.retrySafe });
    this.#woken = false;
    const until = blockedUntil(this.#circuit, this.#now());
    if (until !== undefined) this.set.withdrawQueued();
    const { queued, starting, ready } = this.set.counts;
    if (queued + starting + ready + this.#external === 0) this.#failures++;
    if (ready > 0) this.#target = Math.max(this.#settings.scale.min, ready + starting);
    this.#narrator.startFailed(replica, error, until === undefined ? undefined : until - this.#now());
    this.#explain(replica, error);
    this.#host.registry.publish(this.name);
    this.#host.standby.prepare(this.name, replica);
    this.evaluate();
  }

  onStartWithdrawn(_replica: Replica): void {
    const { queued, starting } = this.set.counts;
    if (queued + starting === 0) this.#stepCircuit({ type: 'withdrawn' });
    this.#host.registry.soon(this.name);
    this.#finishLeaving();
  }

  onAdoptFailed(replica: Replica, error: PilotlightError): void {
    this.#narrator.exited(replica, error.message);
    this.#afterEnd(replica);
  }

  onExited(replica: Replica, detail: string): void {
    this.#unregister(replica);
    this.#narrator.exited(replica, detail);
    const { ready, starting, queued } = this.set.counts;
    // An idle one is not replaced before somebody asks: it may have been stopped on purpose.
    const active = this.telemetry.inFlight > 0 || this.telemetry.window.arrivalsBefore(this.#now(), PROBATION_MS) > 0;
    if (ready + this.#external === 0 || !active) this.#target = ready + starting + queued;
    this.#afterEnd(replica);
  }

  onCordoned(replica: Replica): void {
    this.#unregister(replica);
  }

  onCalledOff(replica: Replica): void {
    this.#backAgain(replica, 'there was activity');
  }

  onRevoked(replica: Replica): void {
    this.#backAgain(replica, 'a request came');
  }

  onDrainForced(replica: Replica, inFlight: number): void {
    this.#narrator.drainForced(replica, inFlight);
  }

  onUnresponsive(edge: string): void {
    this.#host.onUnresponsive(edge);
  }

  onStopped(replica: Replica, reason: string): void {
    if (this.#mode !== 'leaving' && this.set.counts.live === 0 && reason !== 'failed' && this.#external === 0) {
      this.#narrator.asleep(reason, this.#settings.scale.idleMs);
    }
    this.#afterEnd(replica);
  }

  onUncertain(): void {
    if (this.#run !== undefined) this.#host.relist(this.#run);
  }

  // Deciding

  #wanted(): number {
    const { min, max, initial, concurrency, guards } = this.#settings.scale;
    const { held, inFlight } = this.telemetry;
    return wantedReplicas({
      min: this.#host.isDraining() ? 0 : min,
      max,
      initial,
      concurrency,
      utilisation: guards.utilisation,
      held,
      inFlight,
      ready: this.set.counts.ready + this.#external,
      woken: Number(this.#woken),
      slept: Number(this.#mode === 'slept'),
      target: this.#host.isDraining() ? 0 : this.#target,
      arrivalsBefore: this.#arrivalsBefore ?? 0,
      sustained: this.#scaler.sustained,
    });
  }

  /** Something asks for the service. */
  #answerDemand(): void {
    this.#mode = 'automatic';
    if (this.#isAwake) return;
    this.#arrivalsBefore ??= this.telemetry.window.arrivalsBefore(this.#now(), this.#settings.scale.latency.windowMs);
    this.set.hurry();
    if (this.set.counts.retiring > 0) this.set.revoke(this.#wanted());
  }

  #startUpTo(wanted: number, otherwise: StartCause): void {
    const { queued, starting, ready, live } = this.set.counts;
    const coming = queued + starting;
    const { min, max } = this.#settings.scale;
    const room = Math.max(0, max - live);
    const allowed = Math.max(0, allowance(this.#circuit, this.#now()));
    const count = Math.min(wanted - coming - ready, room, allowed);
    if (count <= 0) return;
    const { held, inFlight } = this.telemetry;
    const asleep = !this.#isAwake;
    const asked: StartCause | undefined = asleep && held > 0 ? 'demand' : asleep && this.#woken ? 'by-hand' : undefined;
    const cause = asked ?? (coming + ready < min ? 'min' : otherwise);
    for (let i = 0; i < count; i++) this.set.start(cause);
    this.#stepCircuit({ type: 'started' });
    if (asleep) {
      const inputs = { held, inFlight, wanted, arrivalsBeforePerSecond: this.#arrivalsBefore ?? 0 };
      this.#narrator.waking(cause, coming, coming + count, inputs);
    }
  }

  #replaceOutdated(): void {
    const outdated = this.#outdated;
    if (outdated.length === 0) return;
    const { queued, starting, ready, live } = this.set.counts;
    const current = ready - outdated.length;
    const leaving = this.set.replicas.filter(
      ({ task, state }) =>
        (task.kind === 'retire' && task.retirement.reason === 'replaced') ||
        (state === 'stopping' && task.kind === 'stop' && task.reason === 'replaced'),
    ).length;
    const step = nextReplacement({
      outdated: outdated.length,
      coming: queued + starting,
      spare: current > 0 ? ready - Math.max(1, this.#wanted()) : 0,
      leaving,
      live,
      max: this.#settings.scale.max,
      startsAllowed: allowance(this.#circuit, this.#now()),
    });
    if (step === 'retire') {
      const oldest = outdated.toSorted((a, b) => a.readyAt - b.readyAt).slice(0, 1);
      this.#narrator.replacing(ready, `${oldest[0]?.name} has an older run`);
      this.#retire(oldest, 'replaced');
    } else if (step === 'start') {
      this.set.start('new-run');
      this.#stepCircuit({ type: 'started' });
    }
  }

  #hurryScaler(): void {
    if (!this.#host.isDraining()) this.#follow(this.#scaler.hurry(this.#scaled()));
  }

  /** Carries out a scaling decision. */
  #follow(decision: ScaleDecision): void {
    const { outcome } = decision;
    const { dryRun } = this.#settings.scale;
    this.#narrator.scaled(decision, dryRun);
    if (outcome.action === 'none') return;
    this.#scaler.carriedOut(decision);
    if (dryRun) return;
    this.#target = outcome.to - this.#external;
    if (outcome.action === 'scale-up') {
      this.evaluate('scale-up');
      return;
    }
    const [victim] = this.#ready.toSorted(
      (a, b) => this.telemetry.inFlightOn(a.endpoint) - this.telemetry.inFlightOn(b.endpoint) || b.readyAt - a.readyAt,
    );
    if (victim !== undefined) this.set.retire([victim], 'scale-down');
  }

  #scaled() {
    const { clock } = this.#host.context;
    const { starting, queued, ready } = this.set.counts;
    const external = this.#external;
    const warmUpMs = this.#settings.scale.guards.warmUpMs;
    return {
      ready: ready + external,
      starting: starting + queued,
      warming: this.#ready.filter(({ start, readyAt }) => start !== undefined && clock.now() - readyAt < warmUpMs)
        .length,
      external,
      awakeSince: this.#awakeSince ?? clock.now(),
      budgetLeft: this.#host.gate.budgetLeft,
      startsAllowed: allowance(this.#circuit, clock.now()),
    };
  }

  #idleInputs() {
    const { scale } = this.#settings;
    return {
      now: this.#now(),
      idleMs: this.#mode === 'leaving' || this.#host.isDraining() ? ('never' as const) : scale.idleMs,
      min: scale.min,
      ready: this.set.counts.ready,
      fresh: this.#host.hub.fresh,
      busy: this.telemetry.busy,
      lastActivityAt: this.telemetry.lastActivityAt,
      readyAt: Math.max(0, ...this.#ready.map(({ readyAt }) => readyAt)),
      notBefore: this.#idleNotBefore,
    };
  }

  #retireIdle(idleForMs: number): void {
    const { min, dryRun } = this.#settings.scale;
    const surplus = this.#ready.toSorted((a, b) => b.readyAt - a.readyAt).slice(0, this.set.counts.ready - min);
    const detail = { text: `idle for ${Math.round(idleForMs / 1000)} s`, inputs: { idleForMs } };
    if (dryRun) {
      // Told once per idle time: the next look is when another one has passed.
      this.#idleNotBefore = this.#now() + Math.max(idleForMs, 1000);
      this.#narrator.retiring('idle', surplus, this.set.counts.ready, detail, true);
      return;
    }
    this.#retire(surplus, 'idle', detail);
  }

  #retire(replicas: readonly Replica[], reason: RetireReason, detail = {}): void {
    if (replicas.length === 0) return;
    const { ready } = this.set.counts;
    this.#narrator.retiring(reason, replicas, ready, detail);
    if (reason !== 'replaced') this.#target = Math.max(0, ready - replicas.length);
    this.set.retire(replicas, reason);
  }

  #backAgain(replica: Replica, why: string): void {
    const { ready } = this.set.counts;
    this.#target = Math.max(this.#target, ready);
    this.#narrator.revoked(replica, why, ready - 1);
    this.#register(replica);
    this.#idle.check();
  }

  // Configuration

  #runChanged(run: RunSettings, hash: string): void {
    const { standby } = this.#host;
    this.#run = run;
    this.#hash = hash;
    this.#stepCircuit({ type: 'forgiven' });
    this.#scaler.forgetSustained();
    this.telemetry.window.clear();
    this.#startTimes = new StartTimes();
    standby.forget(this.name);
    // What only starts with the old one need not get ready first.
    this.set.withdrawStarting(({ spec }) => spec.hash !== hash);
    this.#prepareAll();
  }

  #shrink(max: number): void {
    const surplus = this.#ready
      .toSorted((a, b) => b.readyAt - a.readyAt)
      .slice(0, Math.max(0, this.#ready.length - max));
    this.#target = Math.min(this.#target, max);
    this.#retire(surplus, 'scale-down');
  }

  #endAll(): void {
    this.#woken = false;
    this.#target = 0;
    this.set.withdrawQueued();
    this.set.withdrawStarting(() => true);
    this.#retire(this.#ready, 'removed');
  }

  #finishLeaving(): void {
    if (this.set.counts.live > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
    if (this.#mode === 'leaving') this.#host.onGone(this);
  }

  #prepareAll(): void {
    const { run, scale } = this.#settings;
    if (run === undefined || this.#contact !== 'known' || this.#mode === 'leaving') return;
    if (run.kind === 'docker' && run.standby === 'none') return;
    for (let ordinal = 1; ordinal <= scale.max; ordinal++) {
      const replica = this.set.at(ordinal);
      if (replica.isLive || replica.task.kind !== 'none') continue;
      replica.spec = this.#spec(run, ordinal);
      replica.runtime = this.#host.runtime(run);
      this.#host.standby.prepare(this.name, replica);
    }
  }

  // Small things

  get #isAwake(): boolean {
    return this.set.counts.ready + this.#external > 0;
  }

  get #external(): number {
    return this.#host.registry.external(this.name).length;
  }

  get #ready(): Replica[] {
    return this.set.replicas.filter(({ state }) => state === 'ready');
  }

  get #outdated(): Replica[] {
    if (this.#run?.kind === 'docker-container') return [];
    return this.#ready.filter(({ spec }) => spec.hash !== this.#hash);
  }

  get #contact(): RuntimeContact['contact'] {
    const { run } = this.#settings;
    return run === undefined ? 'known' : this.#host.contact(run).contact;
  }

  #now(): number {
    return this.#host.context.clock.now();
  }

  #noteAwake(): void {
    if (!this.#isAwake) {
      this.#awakeSince = undefined;
      return;
    }
    this.#awakeSince ??= this.#now();
    this.#woken = false;
    this.#arrivalsBefore = undefined;
  }

  /** Past its warm-up, if it is ours: latencies of younger ones say little. */
  #isWarm(endpoint: string): boolean {
    const replica = this.set.byEndpoint(endpoint);
    if (replica?.start === undefined) return true;
    return this.#now() - replica.readyAt >= this.#settings.scale.guards.warmUpMs;
  }

  #spec(run: RunSettings, ordinal: number): ReplicaSpec {
    return { service: this.name, ordinal, instance: this.#host.context.instance, run, hash: runHash(run) };
  }

  #replicaSettings(): ReplicaSettings {
    const settings = this.#settings;
    const run = this.#run as RunSettings;
    return {
      spec: (ordinal) => this.#spec(run, ordinal),
      runtime: () => this.#host.runtime(run),
      ready: settings.ready,
      check: readyCheck(settings),
      drainMs: settings.timeouts.drainMs,
      idleMs: settings.scale.idleMs === 'never' ? 0 : settings.scale.idleMs,
    };
  }

  #facts(): ServiceFacts {
    const { queued, starting } = this.set.counts;
    return {
      owned: this.set.endpoints,
      addresses: this.set.addresses,
      holdTimeoutMs: this.#startTimes.holdTimeoutMs(this.#settings.hold.timeoutMs),
      starting: queued + starting > 0,
      expectedStartMs: this.#startTimes.expectedMs,
      blockedUntil: this.#blockedUntil(),
      failures: this.#failures,
    };
  }

  #blockedUntil(): number | undefined {
    const { run } = this.#settings;
    if (run === undefined) return undefined;
    const contact = this.#host.contact(run);
    return contact.contact === 'unreachable' ? contact.retryAt : blockedUntil(this.#circuit, this.#now());
  }

  #stepCircuit(event: CircuitEvent): void {
    const { clock, random } = this.#host.context;
    this.#circuit = nextCircuit(this.#circuit, event, clock.now(), random);
    const until = blockedUntil(this.#circuit, clock.now());
    this.#circuitTimer?.cancel();
    this.#circuitTimer = undefined;
    if (until === undefined) return;
    this.#circuitTimer = clock.after(until - clock.now(), () => {
      this.#host.registry.publish(this.name);
      this.evaluate();
    });
  }

  #proveLater(askedAt: number): void {
    const timer = this.#host.context.clock.after(PROBATION_MS, () => {
      this.#probations.delete(timer);
      this.#stepCircuit({ type: 'proved', askedAt });
    });
    this.#probations.add(timer);
  }

  #adopted(count: number, reason: string): void {
    const { live } = this.set.counts;
    this.#narrator.adopting(live - count, live, reason);
    this.#host.registry.publish(this.name);
    this.evaluate();
  }

  /** A replica runs no more, and all that comes of it. */
  #afterEnd(replica: Replica): void {
    this.#host.registry.publish(this.name);
    if (this.#mode !== 'leaving' && this.#settings.run !== undefined) this.#host.standby.prepare(this.name, replica);
    this.evaluate();
    this.#finishLeaving();
  }

  #register(replica: Replica): void {
    const { registrations, settings, context } = this.#host;
    const port = replica.instance?.address?.port;
    if (port === undefined) return;
    const entry = replicaRegistration(settings(), this.#settings, context.instance, replica.ordinal, port);
    if (entry !== undefined) registrations.put(entry);
  }

  #unregister({ ordinal }: Replica): void {
    this.#host.registrations.drop(replicaRegistrationId(this.#host.context.instance, this.name, ordinal));
  }

  /** Adds what the replica last said to the log of a failed start. */
  #explain(replica: Replica, error: PilotlightError): void {
    const { logger, life } = this.#host.context;
    const id = replica.instance?.id;
    if (id === undefined || error.code !== 'READY_TIMEOUT') return;
    replica.runtime.output(id, 5, life).then(
      (output) => logger.warn({ service: this.name, replica: replica.name, output }, 'its last output'),
      () => {},
    );
  }

  #meter(elapsedMs: number): void {
    const { metrics } = this.#host.context;
    const service = this.name;
    const { starting, ready, retiring, stopping } = this.set.counts;
    const running = starting + ready + retiring + stopping;
    if (running > 0) metrics.count('pilotlight_replica_seconds_total', { service }, (running * elapsedMs) / 1000);
  }

  #assertRunnable(): void {
    if (this.#settings.run !== undefined) return;
    throw new PilotlightError('SERVICE_NOT_RUNNABLE', `${this.name} has no run: Pilotlight only routes to it`);
  }
}

function keepMs({ scale }: ServiceSettings): number {
  return Math.max(scale.guards.maxWindowMs, scale.guards.downWindowMs, scale.latency.windowMs);
}
