import type { ServicePolicy } from '../../model/snapshot.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { mostEjected, trustAgain } from '../upstream/outlier.ts';

/** A fresh endpoint gets at least this part of its weight: without requests nothing gets warm. */
const LEAST_SHARE = 0.1;
/** The share of a fresh endpoint rises in so many steps. */
const STEPS = 50;

/**
 * How good an endpoint is now. Only those of the best rank get requests, and those of the last rank never do. A backup
 * ranks right behind others of its kind.
 */
const Rank = { USABLE: 0, WEIGHTLESS: 2, EJECTED: 4, SUSPECT: 6, OBJECTING: 8, UNHEALTHY: 10 } as const;

/**
 * Decides which endpoints of a service get requests now: the usable ones; without any, the usable backups; without
 * those, the ones of weight 0; then the ejected ones, all of them rather than none; then those whose connect failed a
 * moment ago; then the unhealthy ones whose checks are answered, rather than a 503 for everybody. Other unhealthy ones
 * never do. This is worked out when something changes, not for every request.
 */
export class Eligibility {
  /** The endpoints that get requests. Another set, or other shares in it, is another array. */
  open: readonly Endpoint[] = [];
  /** They are in doubt: their connects failed a moment ago. */
  doubtful = false;
  /** They fail their checks, and get requests because there is nothing better. */
  objecting = false;
  /** Each of them bounds its requests in flight. */
  bounded = false;
  /** When the passing of time changes any of this, the clock's ms. */
  recheckAt = Number.POSITIVE_INFINITY;

  /** @param ready the endpoints that control has declared ready */
  update(ready: readonly Endpoint[], policy: ServicePolicy, now: number): void {
    this.recheckAt = Number.POSITIVE_INFINITY;
    this.#takeBack(ready, policy, now);
    const ranks = ready.map((endpoint) => this.#rank(endpoint, now));
    const best = Math.min(Rank.UNHEALTHY, ...ranks);
    for (const endpoint of ready) endpoint.noteCondition(now);
    for (const endpoint of this.open) endpoint.isOpen = false;
    this.open = best === Rank.UNHEALTHY ? [] : ready.filter((_, index) => ranks[index] === best);
    this.objecting = best >= Rank.OBJECTING && best < Rank.UNHEALTHY;
    this.doubtful = best >= Rank.SUSPECT && !this.objecting;
    this.bounded = this.open.length > 0;
    for (const endpoint of this.open) {
      endpoint.isOpen = true;
      endpoint.share = this.#share(endpoint, policy.slowStartMs, now);
      if (policy.concurrency === 0 && endpoint.maxConnections === Number.POSITIVE_INFINITY) this.bounded = false;
    }
  }

  /** Takes back the ejected endpoints whose time is over, and more where too many are out because others went away. */
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

  /** Returns the weight, or of a fresh endpoint the part of it that its age allows. */
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

/** Returns when an ejected endpoint comes back, the clock's ms; 0 for one that is not ejected. */
function returnOf({ outlier }: Endpoint): number {
  return outlier.kind === 'ejected' ? outlier.until : 0;
}
