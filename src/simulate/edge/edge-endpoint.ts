import type { EndpointCondition, HealthSettings, OutlierSettings } from '../../model/balancing.ts';
import type { EndpointReport } from '../../model/link.ts';
import type { EndpointState } from '../../model/snapshot.ts';
import { Histogram } from '../../util/histogram.ts';
import type { RunningReplica } from '../run/fleet.ts';
import { InFlight } from './in-flight.ts';

/** For one report after the other: none keeps it. */
const waiting = new Histogram();

/** An endpoint as the edge knows it: what is in flight there, and whether it is trusted. Times are the clock's ms. */
export class EdgeEndpoint {
  readonly id: string;
  /** What runs there; undefined: nothing. */
  readonly running: RunningReplica | undefined;
  readonly inFlight = new InFlight();
  /** Undefined: it is new. */
  state: EndpointState | undefined;
  /** Under which version it was cordoned; 0: it is not. */
  cordonVersion = 0;
  isDrained = false;
  /** Its connections closed unasked: nothing goes there until control says what became of it. */
  isSuspect = false;
  doubt = 0;
  isUnhealthy = false;
  ejectedUntil = 0;
  #conditionSince = 0;
  #ejections = 0;
  #ejectionsSince = 0;
  #failures = 0;
  #checksInARow = 0;
  #answers = 0;
  readonly #ttfb = new Histogram();
  readonly #calm = new Histogram();

  constructor(id: string, running: RunningReplica | undefined) {
    this.id = id;
    this.running = running;
  }

  /** An answer began. @param counts whether its time says how the service is now */
  answered(ms: number, counts: boolean, isCalm: boolean): void {
    this.#answers++;
    if (!counts) return;
    this.#ttfb.add(ms);
    if (isCalm) this.#calm.add(ms);
  }

  /** Another endpoint shares the requests from now on. */
  timeAnew(): void {
    this.#ttfb.reset();
    this.#calm.reset();
  }

  /** @returns the ejection's length, ms, where this failure is one too many; else 0 */
  judge(isFailure: boolean, outlier: OutlierSettings, now: number, mayEject: () => boolean): number {
    if (this.ejectedUntil > 0) return 0;
    if (!isFailure) {
      this.#failures = 0;
      return 0;
    }
    this.#failures++;
    if (outlier.consecutive === 0 || this.#failures < outlier.consecutive || !mayEject()) return 0;
    const forgotten = Math.floor((now - this.#ejectionsSince) / outlier.intervalMs);
    const most = Math.ceil(outlier.maxEjectMs / outlier.ejectMs);
    this.#ejections = Math.min(most, Math.max(0, this.#ejections - forgotten) + 1);
    this.#failures = 0;
    const forMs = Math.min(outlier.ejectMs * this.#ejections, outlier.maxEjectMs);
    this.#conditionSince = this.isUnhealthy ? this.#conditionSince : now;
    this.ejectedUntil = now + forMs;
    return forMs;
  }

  /** @returns whether its ejection is over now */
  takeBack(now: number): boolean {
    if (this.ejectedUntil === 0 || this.ejectedUntil > now) return false;
    this.ejectedUntil = 0;
    this.#ejectionsSince = now;
    return true;
  }

  /** Takes note of a health check. @returns whether its health is another now */
  checked(isOk: boolean, { rise, fall }: HealthSettings, now: number): boolean {
    if (isOk !== this.isUnhealthy) {
      this.#checksInARow = 0;
      return false;
    }
    this.#checksInARow++;
    if (this.#checksInARow < (isOk ? rise : fall)) return false;
    this.isUnhealthy = !isOk;
    this.#conditionSince = now;
    this.#checksInARow = 0;
    return true;
  }

  get condition(): EndpointCondition | undefined {
    if (this.isUnhealthy) return 'unhealthy';
    return this.ejectedUntil > 0 ? 'ejected' : undefined;
  }

  /** @param addedAt when an endpoint was last added to the service */
  report(now: number, addedAt: number): EndpointReport {
    waiting.reset();
    let oldest = now;
    const { arrivals, sinces } = this.inFlight;
    for (let index = 0; index < sinces.length; index++) {
      const since = sinces[index] as number;
      if ((arrivals[index] as number) >= addedAt) {
        waiting.add(now - since);
      }
      if (since < oldest) oldest = since;
    }
    const ttfb = this.#ttfb.sparse();
    const calm = this.#calm.sparse();
    const answers = this.#answers;
    this.#ttfb.reset();
    this.#calm.reset();
    this.#answers = 0;
    return {
      endpoint: this.id,
      condition: this.condition,
      conditionMs: this.condition === undefined ? undefined : now - this.#conditionSince,
      inFlight: this.inFlight.size,
      oldestMs: this.inFlight.size > 0 ? now - oldest : undefined,
      answers,
      ttfb,
      calm,
      waiting: waiting.sparse(),
    };
  }
}
