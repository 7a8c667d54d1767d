import type { DiskUsage, PriceSettings, ServiceCosts } from '../../model/costs.ts';
import type { EdgeMessage, ServiceReport } from '../../model/link.ts';
import type { Instance } from '../../model/runtime.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import type { EndpointStatus, ReplicaOutput, ServiceStatus, StartFailure } from '../../model/status.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import { readyCheck } from '../endpoints/ready-check.ts';
import { DecisionLog } from '../journal/decision-log.ts';
import { countReport } from '../journal/report-metrics.ts';
import { gaugeService } from '../journal/service-metrics.ts';
import { Telemetry } from '../link/telemetry.ts';
import { RATE_PERIOD_MS } from '../link/window.ts';
import { answersLast } from '../replica/replica-view.ts';
import type { CordonAck } from '../replica/retire.ts';
import type { ScaleDecision, ScaledService } from '../scale/service-scaler.ts';
import { isTrial, trialText } from '../scale/trial-text.ts';
import { ByHand } from './by-hand.ts';
import { Costing } from './costing.ts';
import { endpointStatus } from './endpoint-status.ts';
import type { Freeze } from './freezes.ts';
import type { ServiceHost } from './host.ts';
import { Idling } from './idling.ts';
import { keepMs, Learning } from './learning.ts';
import { ServiceLifecycle } from './lifecycle.ts';
import { replicaOutput } from './replica-output.ts';
import { ServiceFloor } from './service-floor.ts';
import { lastActivity, serviceStatus } from './status.ts';
import { afterDecision, noWish, type Wish, wishAt } from './wish.ts';

/** Everything about one service: what is heard of it goes in here, and its policies act from here. */
export class ServiceController {
  readonly name: string;
  readonly lifecycle: ServiceLifecycle;
  readonly decisions: DecisionLog;
  readonly #telemetry: Telemetry;
  readonly #host: ServiceHost;
  readonly #learning: Learning;
  readonly idling: Idling;
  readonly #costing: Costing;
  readonly floor: ServiceFloor;
  readonly byHand: ByHand;
  #settings: ServiceSettings;
  /** The decision whose outcome is still open. */
  #trial: string | undefined;
  /** Undefined until there is a decision. */
  #wish: Wish | undefined;

  constructor(settings: ServiceSettings, host: ServiceHost) {
    this.name = settings.name;
    this.#settings = settings;
    this.#host = host;
    this.decisions = new DecisionLog(this.name, host.context);
    this.#telemetry = new Telemetry(keepMs(settings));
    this.#learning = new Learning({
      host,
      settings: () => this.floor.settings(),
      telemetry: this.#telemetry,
      isWarm: (endpoint) => this.#isWarm(endpoint),
      ready: () => this.lifecycle.set.counts.ready + this.lifecycle.external,
    });
    const onMemory = (mib: number, hash: string) => this.idling.sawMemory(mib, hash);
    this.#costing = new Costing({ host, name: () => this.name, onMemory });
    this.idling = new Idling({
      host,
      settings: () => this.#settings,
      telemetry: this.#telemetry,
      costing: this.#costing,
      onRaise: (isRaised, keepMs) => this.decisions.keptLonger(isRaised, keepMs),
    });
    this.floor = new ServiceFloor({ host, settings: () => this.#settings, idling: this.idling });
    this.lifecycle = new ServiceLifecycle({
      host,
      floor: this.floor,
      settings: () => this.#settings,
      telemetry: this.#telemetry,
      decisions: this.decisions,
      idling: this.idling,
      capacity: () => this.#learning.known?.capacity,
      wish: () => this.#wish && wishAt(this.#wish, host.context.clock.now()),
      gaveUp: () => {
        this.#learning.known?.gaveUp();
        this.#cameOf('not judged: a replica was given up to others');
      },
      inFlightLimit: () => this.#inFlightLimit,
    });
    this.byHand = new ByHand(this, host);
    host.registry.add(this.name, {
      wakeable: () => this.#settings.run !== undefined,
      check: () => readyCheck(this.#settings),
      facts: () => this.lifecycle.facts,
    });
  }

  get settings(): ServiceSettings {
    return this.#settings;
  }

  /** From which time to first byte on it counts as slow; null where nothing can be started, or there is no such time. */
  get threshold(): LatencyThreshold | null {
    return this.#learning.threshold;
  }

  /** What it cost since then (the wall's ms); undefined where nothing is known. */
  costs(since: number, prices: PriceSettings, disk: DiskUsage | null): ServiceCosts | undefined {
    const { why, idleForMs } = this.idling;
    return why === null ? undefined : this.#costing.figures(since, idleForMs, why, prices, disk);
  }

  /** Requests wait for it, or an operator does, and it has nothing to answer them with. */
  get isMissed(): boolean {
    return (this.#telemetry.held > 0 || this.lifecycle.isWoken) && !this.lifecycle.isAwake;
  }

  // What the edges say

  onDemand(edge: string, held: number, inFlight: number): void {
    this.#telemetry.demand(edge, this.#host.context.clock.now(), held, inFlight);
    this.idling.heard();
    this.lifecycle.look();
  }

  /** @param report undefined where the edge had nothing to say of the service */
  onReport(edge: string, spanMs: number, report: ServiceReport | undefined): void {
    this.#telemetry.report(edge, this.#host.context.clock.now(), spanMs, report, {
      ready: this.lifecycle.set.counts.ready + this.lifecycle.external,
      isWarm: (endpoint) => this.#isWarm(endpoint),
    });
    this.idling.heard(spanMs, report);
    if (report !== undefined) {
      countReport(this.#host.context.metrics, report);
      this.#learning.heard(report);
    }
    this.lifecycle.examine();
    this.lifecycle.look();
  }

  onAck(edge: string, ack: CordonAck & { endpoint: string }): void {
    this.#telemetry.acknowledged(edge, this.#host.context.clock.now(), ack.idleForMs);
    this.lifecycle.set.onAck(edge, ack.endpoint, ack);
  }

  /**
   * @param trust tells the edge that asked that the endpoint still is what it was
   * @param warn tells the other edges that there is a doubt
   */
  onSuspect(
    { endpoint, cause }: Pick<Extract<EdgeMessage, { type: 'suspect' }>, 'endpoint' | 'cause'>,
    trust: () => void,
    warn: () => void,
  ): void {
    const { set } = this.lifecycle;
    const replica = set.byEndpoint(endpoint);
    if (replica === undefined) this.#host.registry.doubt(this.name, endpoint);
    else if (cause === 'refused' || cause === 'timeout') set.verify(replica);
    else if (cause === 'unproven') set.prove(endpoint, trust);
    else if (!set.assure(endpoint, trust)) return;
    if (replica !== undefined && cause !== 'unproven') warn();
  }

  onDetached(edge: string, now: number): void {
    this.#telemetry.forget(edge, now);
    this.lifecycle.set.onDetached(edge);
    this.lifecycle.happened({ type: 'edge-lost' });
  }

  // What the runtime says

  /** Somebody started a replica, or it is the event of a start of ours. */
  onStartedEvent(instance: Instance): void {
    if (this.lifecycle.adopt([instance], 'started by somebody else') > 0) this.#learning.scaler.changedByHand();
    else this.lifecycle.set.verify(this.lifecycle.set.at(instance.ordinal));
  }

  // What the configuration says

  /** Takes over another configuration of the service; also brings back one that was removed a moment ago. */
  update(settings: ServiceSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    this.#telemetry.window.keepMs = keepMs(settings);
    if (JSON.stringify(settings.run) !== JSON.stringify(before.run)) {
      this.#learning.known?.forget();
      this.#wish = noWish;
      this.#cameOf('not judged: there is another run');
      this.#telemetry.window.clear();
    }
    this.lifecycle.reconfigured(before);
  }

  /** Once a second. */
  tick(elapsedMs: number): void {
    const { starting, ready, retiring, stopping } = this.lifecycle.set.counts;
    const seconds = ((starting + ready + retiring + stopping) * elapsedMs) / 1000;
    const { metrics } = this.#host.context;
    if (seconds > 0) metrics.count('pilotlight_replica_seconds_total', { service: this.name }, seconds);
    this.#costing.tick(elapsedMs, this.lifecycle.set.replicas, this.#telemetry.busy);
    if (this.lifecycle.isLeaving || this.#host.isDraining()) return;
    this.byHand.tick();
    this.idling.tick(this.#host.context.clock.now());
    this.lifecycle.look();
    if (!this.#mayScale) return;
    this.#follow(this.#learning.scaler.tick(this.#scaled()));
    this.#learning.keep();
  }

  /** @param freeze another one than is in force; null: none */
  status(freeze: Freeze | null = this.#host.freezes.of(this.name) ?? null): ServiceStatus {
    const { lifecycle, decisions, name } = this;
    const { run, scale } = this.#settings;
    const { inFlight, held, window } = this.#telemetry;
    const { clock } = this.#host.context;
    const now = clock.now();
    const { arrivals, good, shed, errors } = window.rates(now - RATE_PERIOD_MS, now);
    const runtimeTrouble = run === undefined ? undefined : this.#host.runtimes.trouble(run);
    return serviceStatus({
      name,
      wakeable: run !== undefined,
      counts: lifecycle.set.counts,
      replicas: lifecycle.set.replicas,
      external: this.#host.registry.external(name),
      failing: lifecycle.breaker.isFailing,
      inFlight,
      held,
      heldForMs: this.#telemetry.heldForMs(now),
      perSecond: { arrivals, good, shed, errors },
      inFlightOn: (endpoint) => this.#telemetry.loadOf(endpoint).inFlight,
      conditionOf: (endpoint) => this.#telemetry.conditionOf(endpoint),
      p95Of: (endpoint) => this.#telemetry.p95Of(endpoint, now),
      memoryOf: (run) => this.#costing.memoryOf(run),
      threshold: this.threshold,
      lastActivity: lastActivity(this.#telemetry, now, clock.wall()),
      quantiles: window.quantiles(now, scale.latency.windowMs, [0.5, 0.95, 0.99]),
      lastDecision: decisions.last,
      heldBack: decisions.heldBack,
      schedule: this.floor.schedule,
      freeze,
      startFailure: this.#startFailure,
      images: run && this.#host.runtimes.images(run),
      runtimeTrouble,
      otherTroubles: [
        lifecycle.crashes.trouble,
        this.#host.prewarm.trouble(name),
        this.#host.discovery.trouble(this.#settings),
      ],
    });
  }

  /** Where it is, in use or not. */
  endpoints(): EndpointStatus[] {
    return endpointStatus(this.name, this.lifecycle.set.replicas, this.#host.registry, this.#telemetry);
  }

  /** An operator changed what runs: the scaler leaves it alone for a while. */
  changedByHand(): void {
    this.#learning.scaler.changedByHand();
  }

  /** What its replicas wrote last. */
  async output(lines: number): Promise<ReplicaOutput[]> {
    return replicaOutput(this.#host.context, this.lifecycle.set.replicas, this.lifecycle.failures.last, lines);
  }

  /** Why the last start failed, with what has become of the back-off since. */
  get #startFailure(): StartFailure | null {
    const { failures, breaker } = this.lifecycle;
    if (failures.last === undefined) return null;
    return breaker.blockedUntil === undefined ? { ...failures.last, nextTryAt: null } : failures.last;
  }

  /** Sets the gauges to what is known now. */
  gauge(): void {
    gaugeService(this.#host.context.metrics, this.name, this.#telemetry, this.lifecycle.set.replicas, this.threshold);
  }

  /** Lets go of every timer. */
  close(): void {
    this.decisions.close();
    this.lifecycle.close();
  }

  // Policies

  /** Without fresh data from every edge, or while it is frozen, nothing changes. */
  get #mayScale(): boolean {
    return (
      this.#settings.run !== undefined &&
      this.lifecycle.isAwake &&
      this.#isHealthy &&
      this.#host.hub.fresh &&
      !this.lifecycle.isLeaving &&
      !this.#host.isDraining()
    );
  }

  /** Any endpoint answers. What none does, replacement mends and scaling does not. */
  get #isHealthy(): boolean {
    const { external, ready } = this.lifecycle;
    return external > 0 || ready.some(({ endpoint }) => !this.#telemetry.isUnhealthy(endpoint));
  }

  /** What the edges hold back for a replica that is being started, of each of which there are several. */
  get #inFlightLimit(): number | undefined {
    const limit = this.#settings.scale.dryRun ? undefined : this.#learning.known?.inFlightLimit;
    return limit === undefined ? undefined : Math.max(1, Math.ceil(limit / Math.max(1, this.#host.hub.edges.length)));
  }

  /** Carries out a scaling decision, and says what came of the one before. */
  #follow(decision: ScaleDecision): void {
    const { outcome, verdict } = decision;
    const { scale } = this.#settings;
    const limit = this.#inFlightLimit;
    const freezeMs = this.#learning.scaler.carriedOut(decision);
    const id = this.decisions.scaled(decision, scale.dryRun);
    const text = trialText(verdict, outcome, freezeMs);
    if (text !== undefined) this.#cameOf(text);
    if (outcome.action !== 'none' && isTrial(outcome)) this.#trial = id;
    if (!scale.dryRun) {
      const before = this.#wish ?? { ...noWish, standing: this.#learning.scaler.standing };
      this.#wish = afterDecision(before, decision, this.lifecycle.external, this.#host.context.clock.now());
      this.lifecycle.askBudget();
    }
    if (this.#inFlightLimit !== limit) this.#host.registry.publish(this.name);
    if (outcome.action === 'none' || scale.dryRun) return;
    this.lifecycle.scaleTo(outcome.to - this.lifecycle.external);
  }

  /** Says what came of the change whose outcome is open, if there is one. */
  #cameOf(text: string): void {
    if (this.#trial !== undefined) this.decisions.cameOf(this.#trial, text);
    this.#trial = undefined;
  }

  #scaled(): ScaledService {
    const now = this.#host.context.clock.now();
    const { set, external, awakeSince, startsToScale } = this.lifecycle;
    // A sick replica is no capacity.
    const ready = this.lifecycle.ready.filter(({ health }) => health.state !== 'sick');
    const { starting, queued } = set.counts;
    return {
      frozen: this.byHand.isFrozen,
      ready: ready.length + external,
      starting: starting + queued,
      isAlone: !set.views().some(answersLast),
      isWarm: ready.every(({ endpoint }) => this.#isWarm(endpoint)),
      external,
      awakeSince: awakeSince ?? now,
      budgetLeft: this.lifecycle.budgetLeft,
      budgetFacts: this.lifecycle.budgetFacts,
      startsAllowed: startsToScale,
    };
  }

  /** Past its warm-up, if it is ours: the latencies of younger ones say little. */
  #isWarm(endpoint: string): boolean {
    const replica = this.lifecycle.set.byEndpoint(endpoint);
    if (replica?.start === undefined) return true;
    const { warmUpMs, warmUpRequests, warmUpMaxMs } = this.#settings.scale.guards;
    const ageMs = this.#host.context.clock.now() - replica.readyAt;
    if (ageMs >= Math.max(warmUpMs, warmUpMaxMs)) return true;
    return ageMs >= warmUpMs && this.#telemetry.answersOf(endpoint) >= warmUpRequests;
  }
}
