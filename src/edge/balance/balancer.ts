import type { Balance } from '../../model/settings.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { affinity } from './rendezvous.ts';
import { WeightTable } from './weighted.ts';

/** What a choice is made from. */
export interface Choice {
  /** The endpoints that get requests. Another set, or other shares in it, is another array. */
  endpoints: readonly Endpoint[];
  balance: Balance;
  /** Most requests in flight per endpoint; 0 = no limit. */
  concurrency: number;
  /** The clock's ms. */
  now: number;
  /** The endpoint that failed this request before: it is chosen only if there is no other. */
  avoid: Endpoint | undefined;
  /** The hash of what `balance: hash` knows the request by; without it the choice is by least-request. */
  key?: number | undefined;
}

/** With `hash`, an endpoint takes at most this multiple of its share of what is in flight; the rest goes to others. */
const HASH_BOUND = 1.25;
/** … but always so many: a client's few simultaneous requests must not scatter. */
const HASH_FLOOR = 8;

/** Shared by all services with one endpoint or none, which are most of many. */
const NOTHING = new WeightTable<Endpoint>([]);

/** Picks endpoints. It keeps the position of round-robin and what follows from the set, nothing else. */
export class Balancer {
  readonly #random: () => number;
  #table: WeightTable<Endpoint> = NOTHING;
  #next = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** Picks the endpoint for the next request; undefined when every one is full or in doubt, or there is none. */
  pick(choice: Choice): Endpoint | undefined {
    const { endpoints } = choice;
    const count = endpoints.length;
    if (count === 0) return undefined;
    if (count === 1) {
      const only = endpoints[0] as Endpoint;
      return isFree(only, choice) ? only : undefined;
    }
    if (this.#table.members !== endpoints) this.#table = new WeightTable(endpoints, this.#table);
    const picked = this.#pickAmong(choice);
    if (picked !== undefined && fits(picked, choice)) return picked;
    return leastLoaded(choice);
  }

  #pickAmong(choice: Choice): Endpoint | undefined {
    switch (choice.balance) {
      case 'round-robin':
        return this.#table.even ? this.#nextInTurn(choice) : this.#table.turn(choice, fits);
      case 'random':
        return this.#table.draw(this.#random());
      case 'hash':
        return choice.key === undefined ? this.#lessLoaded(choice) : bestForKey(choice, choice.key);
      case 'least-request':
        return this.#lessLoaded(choice);
    }
  }

  #nextInTurn(choice: Choice): Endpoint | undefined {
    const { endpoints } = choice;
    for (let tries = endpoints.length; tries > 0; tries--) {
      this.#next = (this.#next + 1) % endpoints.length;
      const endpoint = endpoints[this.#next] as Endpoint;
      if (fits(endpoint, choice)) return endpoint;
    }
    return undefined;
  }

  /**
   * Picks the less loaded of two random endpoints. That is nearly as even as the least loaded of all, and not every
   * client chooses the same one. The first is drawn by share and taken if it is idle, so that shares hold under little
   * load too.
   */
  #lessLoaded(choice: Choice): Endpoint {
    const table = this.#table;
    const first = table.draw(this.#random());
    if (first.inFlight === 0 && isFree(first, choice)) return first;
    const second = table.drawOther(first, this.#random());
    if (!isFree(first, choice)) return second;
    if (!isFree(second, choice)) return first;
    return load(first) <= load(second) ? first : second;
  }
}

function load(endpoint: Endpoint): number {
  return (endpoint.inFlight + 1) / endpoint.share;
}

/** Whether the endpoint takes one more request: it is neither in doubt nor full. */
export function isFree(endpoint: Endpoint, choice: Choice): boolean {
  if (endpoint.suspectUntil > choice.now || endpoint.inFlight >= endpoint.slots) return false;
  return (
    endpoint.inFlight < endpoint.maxConnections && (choice.concurrency === 0 || endpoint.inFlight < choice.concurrency)
  );
}

function fits(endpoint: Endpoint, choice: Choice): boolean {
  return endpoint !== choice.avoid && isFree(endpoint, choice);
}

/** Returns the least loaded free endpoint; the one to avoid only if there is no other. */
function leastLoaded(choice: Choice): Endpoint | undefined {
  let best: Endpoint | undefined;
  for (const endpoint of choice.endpoints) {
    if (!fits(endpoint, choice)) continue;
    if (best === undefined || load(endpoint) < load(best)) best = endpoint;
  }
  if (best !== undefined || choice.avoid === undefined) return best;
  return choice.endpoints.includes(choice.avoid) && isFree(choice.avoid, choice) ? choice.avoid : undefined;
}

/**
 * Returns the endpoint that the key belongs to, or the next best where that one has more than its bounded share
 * ("consistent hashing with bounded loads", Mirrokni et al. 2016).
 */
function bestForKey(choice: Choice, key: number): Endpoint | undefined {
  let inFlight = 1;
  let shares = 0;
  let best: Endpoint | undefined;
  let score = -1;
  for (const endpoint of choice.endpoints) {
    inFlight += endpoint.inFlight;
    shares += endpoint.share;
    if (!fits(endpoint, choice)) continue;
    const mine = affinity(endpoint, key);
    if (mine > score) [best, score] = [endpoint, mine];
  }
  const perShare = (HASH_BOUND * inFlight) / shares;
  if (best === undefined || isWithin(best, perShare)) return best;
  const first = best;
  best = undefined;
  score = -1;
  for (const endpoint of choice.endpoints) {
    if (!fits(endpoint, choice) || !isWithin(endpoint, perShare)) continue;
    const mine = affinity(endpoint, key);
    if (mine > score) [best, score] = [endpoint, mine];
  }
  return best ?? first;
}

function isWithin(endpoint: Endpoint, perShare: number): boolean {
  return endpoint.inFlight < Math.max(HASH_FLOOR, Math.ceil(perShare * endpoint.share));
}
