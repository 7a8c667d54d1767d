import type { PilotlightError } from '../../model/errors.ts';
import type { StartCause } from '../../model/replica.ts';

import type { ServiceSettings } from '../../model/settings.ts';
import type { StartBoundaries } from '../endpoints/registry.ts';
import type { DecisionLog } from '../journal/decision-log.ts';
import type { Telemetry } from '../link/telemetry.ts';
import { PERMIT_READINESS_MS } from '../replica/attempts.ts';
import type { Replica } from '../replica/replica.ts';
import type { ReplicaSet, ReplicaSetListener } from '../replica/replica-set.ts';
import { type ReplicaView, viewOf } from '../replica/replica-view.ts';
import type { ReplicaExit } from '../replica/runner-ports.ts';
import type { StartFailures } from '../replica/start-failures.ts';
import type { StartBreaker } from '../start/breaker.ts';
import { CRASH_MS, PROBATION_MS } from '../start/circuit.ts';
import type { Crashes } from '../start/crashes.ts';
import type { StartTimes } from '../start/start-times.ts';
import type { ServiceHost } from './host.ts';
import type { Idling } from './idling.ts';
import type { ServiceRun } from './run.ts';
import type { ServiceEvent } from './service-event.ts';

/** The service whose replicas they are. */
interface OutcomesService {
  readonly set: ReplicaSet;
  /** Endpoints in use that others run. */
  readonly external: number;
  readonly isLeaving: boolean;
  /** Takes an event into what is intended with the service, and carries out what is planned for it. */
  happened(event: ServiceEvent): void;
  /** Looks for what is to be done now. */
  look(): void;
  /** Perhaps nothing runs any more: who waits for that is told. */
  settle(): void;
}

interface OutcomesOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  decisions: DecisionLog;
  run: ServiceRun;
  breaker: StartBreaker;
  failures: StartFailures;
  crashes: Crashes;
  startTimes: StartTimes;
  idling: Idling;
}

/**
 * Takes note of what becomes of one service's replicas: has it told, lists them in the catalogue, learns from it (how
 * long starts take, whether they may go on), and passes it on to the service as an event.
 */
export class Outcomes implements ReplicaSetListener {
  readonly #service: OutcomesService;
  readonly #options: OutcomesOptions;
  readonly #host: ServiceHost;
  readonly #decisions: DecisionLog;

  constructor(service: OutcomesService, options: OutcomesOptions) {
    this.#service = service;
    this.#options = options;
    this.#host = options.host;
    this.#decisions = options.decisions;
  }

  /** What runs already is taken over, if it proves itself. */
  onAdopting(count: number, reason: string): void {
    const { live } = this.#service.set.counts;
    this.#decisions.adopting(live - count, live, reason);
    this.#host.registry.publish(this.#name);
  }

  /** Another `run` holds: what was learnt of the old one is no guide. */
  forget(): void {
    this.#options.failures.mend();
    this.#options.startTimes.forget();
    this.#options.idling.forgetMemory();
  }

  /** What replicas are listed as may be another name or tag now. */
  listAgain(ready: readonly Replica[]): void {
    for (const replica of ready) this.#host.catalog.putReplica(this.#options.settings(), replica);
    this.#host.registry.soon(this.#name);
  }

  onChange(): void {
    this.#host.registry.soon(this.#name);
  }

  onReady(replica: Replica, cause: StartCause | undefined): void {
    const { settings, telemetry, breaker, failures, startTimes, idling } = this.#options;
    const { start } = replica;
    if (start !== undefined) {
      const tookMs = start.ready - start.permit;
      if (!replica.isResumed) startTimes.add(tookMs);
      idling.started(
        tookMs,
        replica.isResumed ? 'resume' : 'start',
        cause === 'demand' ? permitTime(start) : undefined,
      );
      breaker.note({ type: 'ready', askedAt: start.asked });
      failures.mend();
      this.#host.prewarm.mend(this.#name);
    }
    this.#decisions.ready(replica, cause, telemetry.held);
    this.#host.catalog.putReplica(settings(), replica);
    this.#service.happened({ type: 'ready', replica: this.#viewOf(replica), isAdopted: start === undefined });
    this.#service.look();
  }

  onStartFailed(replica: Replica, error: PilotlightError, askedAt: number, run: string | undefined): void {
    const { breaker, failures } = this.#options;
    this.#host.catalog.dropReplica(replica);
    const wasReady = replica.start?.asked === askedAt;
    breaker.note({ type: 'failed', askedAt, retrySafe: error.retrySafe, wasReady });
    failures.add(replica, {
      error,
      run,
      inARow: Math.max(breaker.failures, breaker.crashes),
      blockedUntil: breaker.blockedUntil,
    });
    this.#ended({ type: 'start-failed', replica: this.#viewOf(replica) });
  }

  onStartWithdrawn(_replica: Replica): void {
    this.#noteWithdrawn();
    this.#host.registry.soon(this.#name);
    this.#service.settle();
  }

  /** What was on trial, if anything was, told nothing of starts: another one may be. */
  #noteWithdrawn(): void {
    const { queued, starting } = this.#service.set.counts;
    if (queued + starting === 0) this.#options.breaker.note({ type: 'withdrawn' });
  }

  onAdoptFailed(replica: Replica, error: PilotlightError): void {
    this.#decisions.exited(replica, error.message);
    this.#ended({ type: 'adoption-failed', replica: this.#viewOf(replica) });
  }

  onExited(replica: Replica, { detail, crashedAfterMs, isLost }: ReplicaExit): void {
    const { telemetry, breaker, crashes } = this.#options;
    const { active, window } = telemetry;
    const { clock } = this.#host.context;
    this.#host.catalog.dropReplica(replica);
    if (crashedAfterMs === undefined) {
      this.#decisions.exited(replica, detail);
    } else {
      breaker.note({ type: 'crashed', readyAt: replica.readyAt });
      this.#decisions.exited(replica, detail, crashes.add(replica.name, crashedAfterMs));
    }
    const wasInUse = active > 0 || window.arrivalsBefore(clock.now(), PROBATION_MS) > 0;
    this.#ended({ type: 'exited', replica: this.#viewOf(replica), wasInUse, isLost });
  }

  /** It has been unhealthy for long enough to be replaced. */
  onSick(replica: Replica): void {
    const { breaker } = this.#options;
    const now = this.#host.context.clock.now();
    if (now - replica.readyAt < CRASH_MS) breaker.note({ type: 'crashed', readyAt: replica.readyAt });
    const unhealthyMs = replica.health.state === 'sick' ? now - replica.health.since : 0;
    this.#decisions.sick(replica, Math.round(unhealthyMs));
  }

  onCordoned(replica: Replica): void {
    this.#host.catalog.dropReplica(replica);
  }

  onRevoked(replica: Replica, why: string): void {
    this.#service.happened({ type: 'revoked', replica: this.#viewOf(replica) });
    this.#decisions.revoked(replica, why, this.#service.set.counts.ready - 1);
    this.#host.catalog.putReplica(this.#options.settings(), replica);
  }

  onCalledOff(): void {
    this.#service.look();
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

  onStopped(replica: Replica, reason: string, stopMs: number | undefined): void {
    const { set, external, isLeaving } = this.#service;
    if (stopMs !== undefined) this.#options.idling.stopped(stopMs);
    const isReplaced = reason === 'unhealthy' && this.#options.telemetry.held > 0;
    if (reason !== 'failed' && reason !== 'dropped' && !isReplaced && !isLeaving && set.counts.live + external === 0) {
      this.#decisions.asleep(reason, this.#options.idling.keepMs);
    }
    this.#ended({ type: 'stopped', replica: this.#viewOf(replica) });
  }

  onLeaving(replica: Replica): void {
    this.#decisions.leaving(replica);
    this.#service.look();
  }

  onPaused(replica: Replica, pauseMs: number | undefined): void {
    const { set, external } = this.#service;
    const { idling } = this.#options;
    this.#decisions.paused(replica, pauseMs);
    if (pauseMs !== undefined && set.counts.live + external === 0) this.#decisions.asleep('idle', idling.keepMs);
    this.#ended({ type: 'paused', replica: this.#viewOf(replica) });
  }

  onPauseFailed(replica: Replica, error: PilotlightError): void {
    this.#decisions.pauseFailed(replica, error);
  }

  onResumeFailed(replica: Replica, error: PilotlightError): void {
    this.#noteWithdrawn();
    this.#decisions.resumeFailed(replica, error);
    this.#ended({ type: 'resume-failed', replica: this.#viewOf(replica) });
  }

  onFrozenEnded(replica: Replica, detail: string): void {
    this.#decisions.exited(replica, `${detail}, while it was paused`);
    this.#ended({ type: 'frozen-ended', replica: this.#viewOf(replica) });
  }

  onUncertain(): void {
    this.#options.run.relist();
  }

  /** A replica runs no more: its place is free. */
  #ended(event: ServiceEvent): void {
    this.#service.happened(event);
    this.#host.registry.publish(this.#name);
    this.#service.look();
    this.#service.settle();
  }

  #viewOf(replica: Replica): ReplicaView {
    return viewOf(replica, this.#options.telemetry.loadOf(replica.endpoint));
  }

  get #name(): string {
    return this.#options.settings().name;
  }
}

/** For how long a start had its permit, ms. */
function permitTime({ permit, started, ready }: StartBoundaries): number {
  return started - permit + Math.min(PERMIT_READINESS_MS, ready - started);
}
