import { PilotlightError } from '../../model/errors.ts';
import type { ServiceSettings } from '../../model/settings.ts';
import type { ScaleByHand, ServiceStatus } from '../../model/status.ts';
import type { DecisionLog } from '../journal/decision-log.ts';
import type { Freeze } from './freezes.ts';
import type { ServiceHost } from './host.ts';
import type { ServiceLifecycle } from './lifecycle.ts';
import { scaleByHand } from './scale-by-hand.ts';
import type { ServiceFloor } from './service-floor.ts';
import { StandingCount } from './standing-count.ts';

/** What it is of a service. */
interface OperatedService {
  readonly name: string;
  readonly settings: ServiceSettings;
  readonly lifecycle: ServiceLifecycle;
  readonly floor: ServiceFloor;
  readonly decisions: DecisionLog;
  /** The scaler leaves the service alone for a while. */
  changedByHand(): void;
  status(freeze: Freeze | null): ServiceStatus;
}

/** What operators want of one service, and how long that holds. */
export class ByHand {
  readonly count: StandingCount;
  readonly #service: OperatedService;
  readonly #host: ServiceHost;

  constructor(service: OperatedService, host: ServiceHost) {
    this.#service = service;
    this.#host = host;
    this.count = new StandingCount(service, host);
  }

  /** @throws SERVICE_NOT_RUNNABLE */
  wake(): void {
    this.#assertRunnable();
    this.#service.lifecycle.wake();
  }

  /** @throws SERVICE_NOT_RUNNABLE, HANDING_OVER */
  sleep(): void {
    this.#assertRunnable();
    assertInCharge(this.#host);
    this.count.drop();
    this.#service.lifecycle.sleep();
  }

  /**
   * Has it run so many replicas of our own, at once; then the scaler leaves it alone for a while.
   * @throws SERVICE_NOT_RUNNABLE, SCALE_OUT_OF_BOUNDS, HANDING_OVER
   */
  scale(to: number, dryRun: boolean): ScaleByHand {
    this.#assertRunnable();
    assertInCharge(this.#host);
    const { name, lifecycle, floor, decisions } = this.#service;
    const { queued, starting, ready } = lifecycle.set.counts;
    const change = scaleByHand({
      service: name,
      from: queued + starting + ready,
      to,
      scale: floor.settings().scale,
      budgetLeft: lifecycle.budgetLeft,
      dryRun,
    });
    if (dryRun) return change;
    if (to === 0) {
      this.sleep();
      return change;
    }
    decisions.scaledByHand(change);
    this.count.set(to);
    return change;
  }

  /** @returns how it stands then, or would. @throws SERVICE_NOT_RUNNABLE, HANDING_OVER */
  freeze(forMs: number, reason: string | null, dryRun: boolean): ServiceStatus {
    this.#assertRunnable();
    assertInCharge(this.#host);
    const { name, lifecycle, decisions } = this.#service;
    const freeze = { until: this.#host.context.clock.wall() + forMs, reason };
    if (!dryRun) {
      this.#host.freezes.put(name, freeze);
      decisions.frozen(forMs, reason);
      lifecycle.look();
    }
    return this.#service.status(freeze);
  }

  /** As {@link freeze}. */
  unfreeze(dryRun: boolean): ServiceStatus {
    this.#assertRunnable();
    assertInCharge(this.#host);
    if (!dryRun) this.#thaw('by hand');
    return this.#service.status(null);
  }

  get isFrozen(): boolean {
    const freeze = this.#host.freezes.of(this.#service.name);
    return freeze !== undefined && freeze.until > this.#host.context.clock.wall();
  }

  /** Once a second: ends what has had its time. */
  tick(): void {
    if (!this.isFrozen) this.#thaw('its time is over');
    this.count.look();
  }

  #thaw(why: string): void {
    const { name, lifecycle, decisions } = this.#service;
    if (this.#host.freezes.of(name) === undefined) return;
    this.#host.freezes.put(name, undefined);
    decisions.unfrozen(why);
    lifecycle.look();
  }

  #assertRunnable(): void {
    const { name, settings } = this.#service;
    if (settings.run !== undefined) return;
    throw new PilotlightError('SERVICE_NOT_RUNNABLE', `${name} has no run: Pilotlight only routes to it`);
  }
}

/** What is asked for while a successor takes over, and has read already what was, would be lost. @throws HANDING_OVER */
export function assertInCharge({ mayStart }: ServiceHost): void {
  if (mayStart()) return;
  throw new PilotlightError('HANDING_OVER', 'a new process takes over just now: ask again in a moment');
}
