import type { ServiceSettings } from '../../model/settings.ts';
import type { ServiceHost } from './host.ts';
import type { ServiceLifecycle } from './lifecycle.ts';

/** What it is of a service. */
interface CountedService {
  readonly name: string;
  readonly settings: ServiceSettings;
  readonly lifecycle: ServiceLifecycle;
  /** The scaler leaves the service alone for a while. */
  changedByHand(): void;
}

/**
 * How many replicas an operator wants, for as long as the scaler leaves that alone: a control plane that takes the place of
 * this one goes on with it, though it finds other ones running.
 */
export class StandingCount {
  readonly #service: CountedService;
  readonly #host: ServiceHost;
  /** What was asked of this control plane, or of an earlier one, is under way here. */
  #isFollowed = false;

  constructor(service: CountedService, host: ServiceHost) {
    this.#service = service;
    this.#host = host;
  }

  set(replicas: number): void {
    const { name, settings } = this.#service;
    const { byHand, context } = this.#host;
    byHand.putCount(name, { replicas, until: context.clock.wall() + settings.scale.guards.cooldownMs });
    this.#follow(replicas);
  }

  /** The service sleeps, or is no more. */
  drop(): void {
    this.#host.byHand.putCount(this.#service.name, undefined);
  }

  /** Goes on with what an earlier control plane was told, once it is known what runs; and forgets it when its time is over. */
  look(): void {
    const { name, settings, lifecycle } = this.#service;
    const { byHand, context, runtimes, mayStart, mayEnd } = this.#host;
    const count = byHand.countOf(name);
    if (count === undefined) return;
    const { run, scale } = settings;
    const isOver = count.until <= context.clock.wall();
    if (isOver || run === undefined || (this.#isFollowed && lifecycle.set.counts.live === 0)) this.drop();
    else if (!this.#isFollowed && mayStart() && mayEnd() && runtimes.contact(run).contact === 'known') {
      this.#follow(Math.max(Math.min(count.replicas, scale.max), 1, scale.min));
    }
  }

  #follow(replicas: number): void {
    this.#isFollowed = true;
    this.#service.changedByHand();
    this.#service.lifecycle.scaleByHand(replicas);
  }
}
