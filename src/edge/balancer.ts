import type { Balance } from '../model/settings.ts';
import type { Endpoint } from './endpoint.ts';

/** What a choice is made among: ready endpoints, those in doubt left out while there are others. */
export interface Choice {
  endpoints: readonly Endpoint[];
  balance: Balance;
  /** Most requests in flight per endpoint; 0 = no limit. */
  concurrency: number;
  /** The clock's ms. */
  now: number;
  /** Not this one while there is another (it failed this request before). */
  avoid: Endpoint | undefined;
}

/** Picks endpoints; holds nothing but the position of round-robin. */
export class Balancer {
  readonly #random: () => number;
  #next = 0;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The endpoint for the next request; undefined when every one is full, in doubt, or there is none. */
  pick(choice: Choice): Endpoint | undefined {
    const { endpoints } = choice;
    const count = endpoints.length;
    if (count === 0) return undefined;
    if (count === 1) {
      const only = endpoints[0] as Endpoint;
      return isFree(only, choice) ? only : undefined;
    }
    const picked = this.#pickAmong(choice, count);
    if (picked !== undefined && picked !== choice.avoid && isFree(picked, choice)) return picked;
    return leastLoaded(choice);
  }

  #pickAmong(choice: Choice, count: number): Endpoint | undefined {
    const { endpoints } = choice;
    switch (choice.balance) {
      case 'round-robin':
        this.#next = (this.#next + 1) % count;
        return endpoints[this.#next];
      case 'random':
        return endpoints[Math.floor(this.#random() * count)];
      case 'least-request': {
        // Power of two choices: nearly as even as the least loaded of all, without every client choosing the same one.
        const first = Math.floor(this.#random() * count);
        const second = (first + 1 + Math.floor(this.#random() * (count - 1))) % count;
        const a = endpoints[first] as Endpoint;
        const b = endpoints[second] as Endpoint;
        if (!isFree(a, choice)) return b;
        if (!isFree(b, choice)) return a;
        return load(a) <= load(b) ? a : b;
      }
    }
  }
}

function load(endpoint: Endpoint): number {
  return (endpoint.inFlight + 1) / endpoint.weight;
}

function isFree(endpoint: Endpoint, choice: Choice): boolean {
  if (endpoint.suspectUntil > choice.now) return false;
  return choice.concurrency === 0 || endpoint.inFlight < choice.concurrency;
}

/** The least loaded free endpoint, the one to avoid only if there is no other. */
function leastLoaded(choice: Choice): Endpoint | undefined {
  let best: Endpoint | undefined;
  for (const endpoint of choice.endpoints) {
    if (!isFree(endpoint, choice) || endpoint === choice.avoid) continue;
    if (best === undefined || load(endpoint) < load(best)) best = endpoint;
  }
  if (best !== undefined || choice.avoid === undefined) return best;
  return choice.endpoints.includes(choice.avoid) && isFree(choice.avoid, choice) ? choice.avoid : undefined;
}
