import type { ServiceSettings } from '../../model/settings.ts';
import type { Telemetry } from '../link/telemetry.ts';
import type { ReplicaCounts } from '../replica/replica-counts.ts';
import { type DemandInputs, wantedReplicas } from '../scale/demand.ts';
import type { ServiceHost } from './host.ts';

/** `slept`: an operator put it to sleep, so `min` is not kept until something asks for it. `leaving`: it was removed. */
type Mode = 'automatic' | 'slept' | 'leaving';

export interface TargetOptions {
  host: ServiceHost;
  settings: () => ServiceSettings;
  telemetry: Telemetry;
  /** Completions per second that one replica sustained; undefined while unknown. */
  sustained: () => number | undefined;
}

/** What is asked of one service: whether it should be awake, and how many replicas it should have then. */
export class Target {
  /** Replicas of our own that it should have while it is awake. */
  target = 0;
  readonly #options: TargetOptions;
  #mode: Mode = 'automatic';
  /** An operator asked for it, and it is not ready yet. */
  #woken = false;
  /** Arrivals per second just before it was asked for; undefined while nothing asks. */
  #arrivalsBefore: number | undefined;

  constructor(options: TargetOptions) {
    this.#options = options;
  }

  /** Whether requests wait for it, or an operator does. */
  get isAsked(): boolean {
    return this.#options.telemetry.held > 0 || this.#woken;
  }

  get isLeaving(): boolean {
    return this.#mode === 'leaving';
  }

  /** How many replicas it should have. @param ready endpoints that may get requests, those that others run included */
  wanted(ready: number): number {
    return wantedReplicas(this.inputs(ready));
  }

  /** What decides that. */
  inputs(ready: number): DemandInputs {
    const { host, settings, telemetry, sustained } = this.#options;
    const { min, max, initial, concurrency, guards } = settings().scale;
    const { held, active: inFlight } = telemetry;
    const draining = host.isDraining();
    const sustainedPerSecond = sustained();
    return {
      min: draining ? 0 : min,
      max,
      initial,
      concurrency,
      utilisation: guards.utilisation,
      held,
      inFlight,
      ready,
      woken: Number(this.#woken),
      slept: Number(this.#mode === 'slept'),
      target: draining ? 0 : this.target,
      arrivalsBeforePerSecond: this.#arrivalsBefore ?? 0,
      ...(sustainedPerSecond !== undefined && { sustainedPerSecond }),
    };
  }

  raiseTarget(to: number): void {
    this.target = Math.max(this.target, to);
  }

  /** Its policies hold again: it was put to sleep, or removed, before. */
  resume(): void {
    this.#mode = 'automatic';
  }

  /** An operator wants it awake. */
  wake(): void {
    this.#woken = true;
  }

  /** An operator wants it asleep. */
  sleep(): void {
    this.#mode = 'slept';
    this.#woken = false;
  }

  /** It was removed. */
  leave(): void {
    this.#mode = 'leaving';
  }

  /** What an operator asked for does not come. */
  dropWake(): void {
    this.#woken = false;
  }

  /** It is awake: what it was asked for is there. */
  satisfied(): void {
    this.#woken = false;
    this.#arrivalsBefore = undefined;
  }

  /** It is asked for while it is asleep: notes what came just before. */
  noteArrivals(): void {
    const { host, settings, telemetry } = this.#options;
    const { windowMs } = settings().scale.latency;
    this.#arrivalsBefore ??= telemetry.window.arrivalsBefore(host.context.clock.now(), windowMs);
  }

  /**
   * Nobody is held: what was asked for is no measure of what the next one needs. What is being started may go on, and
   * who looks at a waiting page still waits for a start in the queue.
   */
  forget({ queued, starting }: ReplicaCounts): void {
    const { min, initial } = this.#options.settings().scale;
    const least = this.#arrivalsBefore === undefined ? 0 : Math.max(1, initial, min);
    this.target = Math.min(queued + starting, Math.max(starting, least));
    if (queued + starting === 0) this.#arrivalsBefore = undefined;
  }
}
