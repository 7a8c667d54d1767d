import type { ServicePolicy } from '../../model/snapshot.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { mostEjected, trustAgain } from '../upstream/outlier.ts';

/** Least share of a fresh endpoint, of its weight: without any requests nothing gets warm. */
const LEAST_SHARE = 0.1;
/** In how many steps the share of a fresh endpoint rises. */
const STEPS = 50;

/**
 * How good an endpoint is now: only those of the best rank get requests, and of the last one none does. A backup comes
 * right behind others of its kind.
 */
const Rank = { USABLE: 0, WEIGHTLESS: 2, EJECTED: 4, SUSPECT: 6, OBJECTING: 8, UNHEALTHY: 10 } as const;

/**
 * The endpoints of a service that get requests now: the usable ones; without any, the usable backups; without those, the
 * ones of weight 0; the ejected ones, all of them rather than none; then those whose connect failed a moment ago.
 * Of the unhealthy ones those whose checks are answered, rather than 503 for everybody; the others never. Worked out
 * when something changes, not for every request.
 */
export class Eligibility {
  /** Those that requests are spread over. Another set, or other shares in it, is another array. */
  open: readonly Endpoint[] = [];
  /** They are in doubt: their connects failed a moment ago. */
  doubtful = false;
  /** They fail their checks, and are used since there is nothing better. */
  objecting = false;
  /** Each of them bounds what is in flight on it. */
  bounded = false;
  /** When time alone changes any of this, the clock's ms. */
  recheckAt = Number.POSITIVE_INFINITY;

  /** @param ready those that control lets in */
  update(ready: readonly Endpoint[], policy: ServicePolicy, now: number): void {
    this.recheckAt = Number.POSITIVE_INFINITY;
    this.#takeBack(ready, policy, now);
    const ranks = ready.map((endpoint) => this.#rank(endpoint, now));
    const best = Math.min(Rank.UNHEALTHY, ...ranks);
    for (const endpoint of this.open) endpoint.isOpen = false;
    this.open = best === Rank.UNHEALTHY ? [] : ready.filter((_, index) => ranks[index] === best);
    this.objecting = best >= Rank.OBJECTING && best < Rank.UNHEALTHY;
    this.doubtful = best >= Rank.SUSPECT && !this.objecting;
    this.bounded = this.open.length > 0;
    for (const endpoint of this.open) {
      endpoint.isOpen = true;
      endpoint.share = this.#share(endpoint, policy.slowStartMs ?? 0, now);
      if (policy.concurrency === 0 && endpoint.maxConnections === Number.POSITIVE_INFINITY) this.bounded = false;
    }
  }

  /** Ejected ones whose time is over, and the next ones where more are out than may be (others went away since). */
  #takeBack(ready: readonly Endpoint[], { outlier, slowStartMs }: ServicePolicy, now: number): void {
    const ejected = ready.filter((endpoint) => returnOf(endpoint) > 0).sort((a, b) => returnOf(a) - returnOf(b));
    if (ejected.length === 0) return;
    const most = outlier === undefined ? 0 : mostEjected(ready.length, outlier);
    ejected.forEach((endpoint, index) => {
      const at = returnOf(endpoint);
      if (at > now && ejected.length - index <= most) {
        this.#recheck(at);
        return;
      }
      endpoint.outlier = trustAgain(endpoint.outlier, now);
      if (slowStartMs) endpoint.freshSince = now;
    });
  }

  #rank(endpoint: Endpoint, now: number): number {
    let rank: number = Rank.USABLE;
    if (endpoint.health === 'unhealthy') return Rank.UNHEALTHY;
    if (endpoint.suspectUntil > now) {
      this.#recheck(endpoint.suspectUntil);
      if (endpoint.health === 'objecting') return Rank.UNHEALTHY;
      rank = Rank.SUSPECT;
    } else if (endpoint.health === 'objecting') rank = Rank.OBJECTING;
    else if (endpoint.outlier.kind === 'ejected') rank = Rank.EJECTED;
    else if (endpoint.weight === 0) rank = Rank.WEIGHTLESS;
    return endpoint.backup ? rank + 1 : rank;
  }

  /** The weight; of a fresh endpoint the part of it that its age allows. */
  #share(endpoint: Endpoint, slowStartMs: number, now: number): number {
    const age = now - endpoint.freshSince;
    if (age >= slowStartMs) return endpoint.weight;
    this.#recheck(now + slowStartMs / STEPS);
    return endpoint.weight * Math.max(LEAST_SHARE, age / slowStartMs);
  }

  #recheck(at: number): void {
    if (at < this.recheckAt) this.recheckAt = at;
  }
}

/** When an ejected endpoint comes back, the clock's ms; 0 for one that is not ejected. */
function returnOf({ outlier }: Endpoint): number {
  return outlier.kind === 'ejected' ? outlier.until : 0;
}
