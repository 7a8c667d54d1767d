import type { SlotClaim, SlotGrant } from '../../model/link.ts';

/** One endpoint whose requests in flight are bounded. */
interface Shared {
  capacity: number;
  /** Tells what is said of this listing from what was said of an earlier one. */
  epoch: number;
  /** By edge: slots that it has, those recalled included. */
  granted: Map<string, number>;
  /** By edge: slots that it was asked to give back, and has not yet. */
  recalled: Map<string, number>;
}

interface SharedService {
  endpoints: Map<string, Shared>;
  /** By edge: requests that wait there for a slot, less the slots granted since it said so. */
  wants: Map<string, number>;
  /** By edge: when it got a slot last, as a number that grows. */
  served: Map<string, number>;
}

/**
 * Shares the slots of endpoints out between edges: never more in all than an endpoint may have in flight. Slots lie with
 * the edges, so that most requests need not ask; an edge in which requests wait gets those that others do not use, and
 * its fair part of those that they do.
 */
export class SlotBroker {
  readonly #send: (edge: string, message: SlotGrant) => void;
  readonly #edges = new Set<string>();
  readonly #services = new Map<string, SharedService>();
  #isHolding = false;
  #epochs = 0;
  #served = 0;

  constructor(send: (edge: string, message: SlotGrant) => void) {
    this.#send = send;
  }

  /**
   * Grants no slots but those that edges have of an earlier control plane, until `handOut`: edges that have not attached
   * yet use some.
   */
  hold(): void {
    this.#isHolding = true;
  }

  handOut(): void {
    this.#isHolding = false;
    for (const service of this.#services.keys()) this.#settle(service);
  }

  attach(edge: string): void {
    this.#edges.add(edge);
    for (const service of this.#services.keys()) this.#settle(service);
  }

  /** The edge is gone, and with it what was in flight there: its slots are free. */
  detach(edge: string): void {
    this.#edges.delete(edge);
    for (const [name, { endpoints, wants }] of this.#services) {
      wants.delete(edge);
      for (const { granted, recalled } of endpoints.values()) {
        granted.delete(edge);
        recalled.delete(edge);
      }
      this.#settle(name);
    }
  }

  /** @param capacities by endpoint, what may be in flight there; unbounded ones are not in it */
  follow(name: string, capacities: ReadonlyMap<string, number>): void {
    const service = this.#services.get(name);
    if (service === undefined && capacities.size === 0) return;
    const { endpoints } = service ?? this.#add(name);
    for (const id of endpoints.keys()) if (!capacities.has(id)) endpoints.delete(id);
    for (const [id, capacity] of capacities) {
      const shared = endpoints.get(id);
      if (shared !== undefined) shared.capacity = capacity;
      else endpoints.set(id, { capacity, epoch: ++this.#epochs, granted: new Map(), recalled: new Map() });
    }
    this.#settle(name);
  }

  /** Forgets services that are not among these. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#services.keys()) if (!names.has(name)) this.#services.delete(name);
  }

  /** An edge says what it wants, and gives back what it was asked for. */
  onClaim(edge: string, { service: name, want, back, kept = [] }: SlotClaim): void {
    const service = this.#services.get(name);
    if (service === undefined || !this.#edges.has(edge)) return;
    service.wants.set(edge, want);
    for (const { endpoint, epoch, count } of back) {
      const shared = service.endpoints.get(endpoint);
      if (shared?.epoch !== epoch) continue;
      add(shared.granted, edge, -count);
      add(shared.recalled, edge, -count);
    }
    for (const { endpoint, count } of kept) {
      const shared = service.endpoints.get(endpoint);
      if (shared === undefined) continue;
      add(shared.granted, edge, count);
      const { epoch } = shared;
      this.#send(edge, { type: 'slots', service: name, endpoint, epoch, grant: count, recall: 0 });
    }
    this.#settle(name);
  }

  #add(name: string): SharedService {
    const service: SharedService = { endpoints: new Map(), wants: new Map(), served: new Map() };
    this.#services.set(name, service);
    return service;
  }

  #settle(name: string): void {
    const service = this.#services.get(name);
    if (service === undefined || this.#edges.size === 0 || this.#isHolding) return;
    for (const [endpoint, shared] of service.endpoints) {
      const free = shared.capacity - sum(shared.granted);
      if (free > 0) this.#handOut(name, service, endpoint, shared, free);
      else this.#recallSurplus(name, endpoint, shared);
    }
    this.#recallForWants(name, service);
  }

  /** To those first in which requests wait, then evenly: somewhere the next request comes. */
  #handOut(name: string, service: SharedService, endpoint: string, shared: Shared, free: number): void {
    const grants = new Map<string, number>();
    let left = free;
    while (left > 0) {
      const wanting = [...this.#edges].filter((edge) => (service.wants.get(edge) ?? 0) > 0);
      const edge =
        wanting.length > 0
          ? this.#next(wanting, service, (each) => totalOf(service, each))
          : this.#next([...this.#edges], service, (each) => keeps(shared, each));
      // Many slots that nobody waits for go in few steps.
      const step = wanting.length > 0 ? 1 : Math.max(1, Math.floor(left / this.#edges.size));
      add(grants, edge, step);
      add(shared.granted, edge, step);
      add(service.wants, edge, -step);
      service.served.set(edge, ++this.#served);
      left -= step;
    }
    const { epoch } = shared;
    for (const [edge, grant] of grants) {
      this.#send(edge, { type: 'slots', service: name, endpoint, epoch, grant, recall: 0 });
    }
  }

  /** The edge that has the fewest; of equals the one that got one longest ago. */
  #next(edges: readonly string[], { served }: SharedService, has: (edge: string) => number): string {
    return edges.reduce((best, edge) => {
      const more = has(edge) - has(best) || (served.get(edge) ?? 0) - (served.get(best) ?? 0);
      return more < 0 ? edge : best;
    });
  }

  /** Its capacity was lowered below what is granted. */
  #recallSurplus(name: string, endpoint: string, shared: Shared): void {
    let surplus = sum(shared.granted) - shared.capacity - sum(shared.recalled);
    for (const edge of shared.granted.keys()) {
      const recall = Math.min(keeps(shared, edge), surplus);
      if (recall <= 0) continue;
      this.#recall(name, edge, endpoint, shared, recall);
      surplus -= recall;
    }
  }

  /** Takes back what is wanted elsewhere: anything from an edge that wants nothing, what is over its part from others. */
  #recallForWants(name: string, { endpoints, wants }: SharedService): void {
    const shares = [...endpoints.values()];
    const wanting = [...wants.values()].filter((want) => want > 0);
    const capacity = shares.reduce((all, shared) => all + shared.capacity, 0);
    // With fewer slots than edges that want one, they go round.
    const part = capacity >= wanting.length ? Math.ceil(capacity / wanting.length) : 0;
    let missing =
      wanting.reduce((all, want) => all + want, 0) - shares.reduce((all, each) => all + sum(each.recalled), 0);
    if (missing <= 0) return;
    const isWanting = (edge: string) => (wants.get(edge) ?? 0) > 0;
    for (const edge of [...this.#edges].sort((a, b) => Number(isWanting(a)) - Number(isWanting(b)))) {
      let left = totalOf({ endpoints }, edge) - (isWanting(edge) ? part : 0);
      for (const [endpoint, shared] of endpoints) {
        const recall = Math.min(keeps(shared, edge), left, missing);
        if (recall <= 0) continue;
        this.#recall(name, edge, endpoint, shared, recall);
        left -= recall;
        missing -= recall;
      }
    }
  }

  #recall(name: string, edge: string, endpoint: string, shared: Shared, recall: number): void {
    add(shared.recalled, edge, recall);
    this.#send(edge, { type: 'slots', service: name, endpoint, epoch: shared.epoch, grant: 0, recall });
  }
}

/** What an edge has of all endpoints, and may keep. */
function totalOf({ endpoints }: Pick<SharedService, 'endpoints'>, edge: string): number {
  let total = 0;
  for (const shared of endpoints.values()) total += keeps(shared, edge);
  return total;
}

/** What an edge has of one endpoint, and may keep. */
function keeps({ granted, recalled }: Shared, edge: string): number {
  return (granted.get(edge) ?? 0) - (recalled.get(edge) ?? 0);
}

/** Adds to a count that is never negative. */
function add(counts: Map<string, number>, key: string, by: number): void {
  counts.set(key, Math.max(0, (counts.get(key) ?? 0) + by));
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
