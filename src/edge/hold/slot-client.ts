import type { SlotClaim, SlotGrant } from '../../model/link.ts';
import type { ServicePolicy } from '../../model/snapshot.ts';
import type { Clock } from '../../util/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { DemandReporter } from './demand-reporter.ts';

interface SlotClientOptions {
  service: string;
  clock: Clock;
  post: (claim: SlotClaim) => void;
  /** How many requests wait for a slot now. */
  waiting: () => number;
}

/** Where other edges use the endpoint too and it bounds its requests, this edge waits for control to grant slots. */
export function shareSlots(endpoint: Endpoint, { sharesSlots, concurrency }: ServicePolicy): void {
  const isBounded = concurrency > 0 || endpoint.maxConnections < Number.POSITIVE_INFINITY;
  if (sharesSlots !== true || !isBounded) {
    Object.assign(endpoint, { slots: Number.POSITIVE_INFINITY, owedSlots: 0, slotEpoch: 0 });
  } else if (endpoint.slots === Number.POSITIVE_INFINITY) {
    endpoint.slots = 0;
  }
}

/**
 * Holds this edge's slots of the endpoints that other edges use too. Control grants slots and recalls them; a recalled
 * slot goes back before another request takes it.
 */
export class SlotClient {
  readonly #demand: DemandReporter;
  /** Slots that the next message gives back. */
  #back: SlotClaim['back'] = [];
  /** Slots of an earlier control plane that the next message tells of. */
  #kept: SlotClaim['kept'];

  constructor({ service, clock, post, waiting }: SlotClientOptions) {
    this.#demand = new DemandReporter(clock, waiting, (want) => {
      const back = this.#back;
      const kept = this.#kept;
      this.#back = [];
      this.#kept = undefined;
      post({ type: 'slots', service, want, back, ...(kept === undefined ? {} : { kept }) });
    });
  }

  /** Control grants slots on an endpoint, or asks for some back. */
  apply(endpoint: Endpoint, { epoch, grant, recall }: SlotGrant): void {
    if (endpoint.slotEpoch !== epoch) Object.assign(endpoint, { slotEpoch: epoch, slots: 0, owedSlots: 0 });
    this.#demand.met(grant);
    endpoint.slots += grant;
    endpoint.owedSlots += recall;
    this.giveBack(endpoint);
  }

  /** Gives back recalled slots that are free. */
  giveBack(endpoint: Endpoint): void {
    const count = Math.min(endpoint.owedSlots, Math.max(0, endpoint.slots - endpoint.inFlight));
    if (count === 0) return;
    endpoint.slots -= count;
    endpoint.owedSlots -= count;
    this.#back = [{ endpoint: endpoint.id, epoch: endpoint.slotEpoch, count }];
    this.#demand.tell();
  }

  /** Another control plane shares the slots out: tells it of those that are in use here. */
  again(endpoints: Iterable<Endpoint>): void {
    const kept = Array.from(endpoints, ({ id, slots }) => ({ endpoint: id, count: slots })).filter(
      ({ count }) => count > 0 && count < Number.POSITIVE_INFINITY,
    );
    if (kept.length > 0) this.#kept = kept;
    if (kept.length > 0) this.#demand.tell();
    else this.#demand.again();
  }

  /** The number of requests that wait for a slot may have changed. */
  changed(): void {
    this.#demand.changed();
  }

  close(): void {
    this.#demand.close();
  }
}
