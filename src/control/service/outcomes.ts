import type { PilotlightError } from '../../model/errors.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import type { DecisionLog } from '../journal/decision-log.ts';
import type { Telemetry } from '../link/telemetry.ts';
import type { Replica, StartCause } from '../replica/replica.ts';
import type { ReplicaSet, ReplicaSetListener } from '../replica/replica-set.ts';
import type { StartFailures } from '../replica/start-failures.ts';
import { PROBATION_MS, type StartBreaker } from '../start/breaker.ts';
import type { StartTimes } from '../start/start-times.ts';
import type { ServiceHost } from './host.ts';
import type { ServiceRun } from './run.ts';
import type { Target } from './target.ts';

/** The service whose replicas they are. */
export interface OutcomesService {
  readonly set: ReplicaSet;
  /** Those that became ready last come first. */
  readonly ready: Replica[];
  /** Endpoints in use that others run. */
  readonly external: number;
  readonly isLeaving: boolean;
  evaluate(): void;
  /** A replica runs no more: its place is free. */
  freed(replica: Replica): void;
  /** Perhaps nothing runs any more: who waits for that is told. */
  settle(): void;
}

export interface OutcomesOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  decisions: DecisionLog;
  demand: Target;
  run: ServiceRun;
  breaker: StartBreaker;
  failures: StartFailures;
  startTimes: StartTimes;
  /** Replicas became ready, or ended. */
  onSettled: () => void;
}

/**
 * Takes note of what becomes of one service's replicas: it is told, listed in Consul, learned from (how long starts
 * take, whether they may go on), and corrects how many there should be. What is to be done then the service decides.
 */
export class ReplicaOutcomes implements ReplicaSetListener {
  readonly #service: OutcomesService;
  readonly #options: OutcomesOptions;
  readonly #host: ServiceHost;
  readonly #decisions: DecisionLog;
  #failures = 0;
  #idleNotBefore = 0;

  constructor(service: OutcomesService, options: OutcomesOptions) {
    this.#service = service;
    this.#options = options;
    this.#host = options.host;
    this.#decisions = options.decisions;
  }

  /** How often all starts came to nothing, or none could be made: whoever waited for one until then is turned away. */
  get failures(): number {
    return this.#failures;
  }

  /** Adopted replicas have to be watched for a while, the clock's ms. */
  get idleNotBefore(): number {
    return this.#idleNotBefore;
  }

  /** Nothing can be started: who waits for it is answered. */
  cannotStart(): void {
    this.#failures++;
  }

  onChange(): void {
    this.#host.registry.soon(this.#name);
  }

  onReady(replica: Replica, cause: StartCause | undefined): void {
    const { settings, telemetry, demand, breaker, failures, startTimes, onSettled } = this.#options;
    const { start } = replica;
    if (start === undefined) {
      const { idleMs, latency } = settings().scale;
      const watchMs = Math.max(idleMs === 'never' ? 0 : idleMs, latency.windowMs);
      this.#idleNotBefore = this.#host.context.clock.now() + watchMs;
      demand.raiseTarget(this.#service.set.counts.ready);
    } else {
      startTimes.add(start.ready - start.permit);
      breaker.note({ type: 'ready', askedAt: start.asked });
      failures.mend();
      this.#host.prewarm.mend(this.#name);
    }
    this.#decisions.ready(replica, cause, telemetry.held);
    this.#host.catalog.putReplica(settings(), replica);
    this.#service.evaluate();
    onSettled();
  }

  onStartFailed(replica: Replica, error: PilotlightError, askedAt: number, run: string | undefined): void {
    const { set } = this.#service;
    const { demand, breaker, failures } = this.#options;
    const { catalog } = this.#host;
    catalog.dropReplica(replica);
    breaker.note({ type: 'failed', askedAt, retrySafe: error.retrySafe });
    demand.dropWake();
    const until = breaker.blockedUntil;
    if (until !== undefined) set.withdrawQueued();
    const { queued, starting, ready } = set.counts;
    if (breaker.isFailing && queued + starting + ready + this.#service.external === 0) this.#failures++;
    // Whether the rest is enough is the scaler's to say, from what it measures then.
    if (ready > 0) demand.target = ready + queued + starting;
    failures.add(replica, { error, run, inARow: breaker.failures, blockedUntil: until });
    this.#service.freed(replica);
  }

  onStartWithdrawn(_replica: Replica): void {
    const { queued, starting } = this.#service.set.counts;
    if (queued + starting === 0) this.#options.breaker.note({ type: 'withdrawn' });
    this.#host.registry.soon(this.#name);
    this.#service.settle();
  }

  onAdoptFailed(replica: Replica, error: PilotlightError): void {
    this.#decisions.exited(replica, error.message);
    this.#service.freed(replica);
  }

  onExited(replica: Replica, detail: string): void {
    const { set } = this.#service;
    const { demand, telemetry } = this.#options;
    this.#host.catalog.dropReplica(replica);
    this.#decisions.exited(replica, detail);
    const { ready, starting, queued } = set.counts;
    const { window } = telemetry;
    // An idle one, or the last one, may have been stopped on purpose: it waits until somebody asks.
    const active = telemetry.active > 0 || window.arrivalsBefore(this.#host.context.clock.now(), PROBATION_MS) > 0;
    if (ready + this.#service.external === 0 || !active) demand.target = ready + starting + queued;
    this.#service.freed(replica);
  }

  onCordoned(replica: Replica): void {
    this.#host.catalog.dropReplica(replica);
  }

  onRevoked(replica: Replica, why: string): void {
    const { settings, demand, onSettled } = this.#options;
    const { ready } = this.#service.set.counts;
    demand.raiseTarget(ready);
    this.#decisions.revoked(replica, why, ready - 1);
    this.#host.catalog.putReplica(settings(), replica);
    onSettled();
  }

  onQuietClosed(replica: Replica, count: number): void {
    this.#decisions.quietClosed(replica, count, this.#options.settings().timeouts.streamMs);
  }

  onDrainForced(replica: Replica, inFlight: number): void {
    this.#decisions.drainForced(replica, inFlight, this.#options.telemetry.loadOf(replica.endpoint).oldestMs);
  }

  onUnresponsive(edge: string): boolean {
    return this.#host.onUnresponsive(edge);
  }

  onStopped(replica: Replica, reason: string): void {
    const service = this.#service;
    if (reason !== 'failed' && !service.isLeaving && service.set.counts.live + service.external === 0) {
      this.#decisions.asleep(reason, this.#options.settings().scale.idleMs);
    }
    service.freed(replica);
  }

  onUncertain(): void {
    this.#options.run.relist();
  }

  get #name(): string {
    return this.#options.settings().name;
  }
}
