import type { SlotClaim, SlotGrant } from '../../model/link.ts';
import type { ServicePolicy } from '../../model/snapshot.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';

/** Changes of the number that waits are told at most this often, ms; the first is told at once. */
const WANT_EVERY_MS = 10;

export interface SlotClientOptions {
  service: string;
  clock: Clock;
  post: (claim: SlotClaim) => void;
  /** How many requests wait for a slot now. */
  waiting: () => number;
}

/** A bounded endpoint gets no request before control has granted slots of it, where other edges use it too. */
export function shareSlots(endpoint: Endpoint, { sharesSlots, concurrency }: ServicePolicy): void {
  const isBounded = concurrency > 0 || endpoint.maxConnections < Number.POSITIVE_INFINITY;
  if (sharesSlots !== true || !isBounded) {
    Object.assign(endpoint, { slots: Number.POSITIVE_INFINITY, owedSlots: 0, slotEpoch: 0 });
  } else if (endpoint.slots === Number.POSITIVE_INFINITY) {
    endpoint.slots = 0;
  }
}

/**
 * The slots of one service's endpoints where other edges use them too: control grants them, and takes them back. What
 * is owed is given back before a request of this edge gets it.
 */
export class SlotClient {
  readonly #options: SlotClientOptions;
  /** How many slots control takes this edge to want: as last told, less what it granted since. */
  #wanted = 0;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | undefined;

  constructor(options: SlotClientOptions) {
    this.#options = options;
  }

  /** Control grants slots on an endpoint, or asks for some back. */
  apply(endpoint: Endpoint, { epoch, grant, recall }: SlotGrant): void {
    if (endpoint.slotEpoch !== epoch) Object.assign(endpoint, { slotEpoch: epoch, slots: 0, owedSlots: 0 });
    this.#wanted = Math.max(0, this.#wanted - grant);
    endpoint.slots += grant;
    endpoint.owedSlots += recall;
    this.giveBack(endpoint);
  }

  /** Gives back what is owed and free. */
  giveBack(endpoint: Endpoint): void {
    const count = Math.min(endpoint.owedSlots, Math.max(0, endpoint.slots - endpoint.inFlight));
    if (count === 0) return;
    endpoint.slots -= count;
    endpoint.owedSlots -= count;
    this.#tell([{ endpoint: endpoint.id, epoch: endpoint.slotEpoch, count }]);
  }

  /** The number of requests that wait may have changed. */
  look(): void {
    const { clock, waiting } = this.#options;
    const want = waiting();
    if (want === this.#wanted || this.#timer !== undefined) return;
    const first = want > 0 && this.#wanted === 0;
    const wait = first ? 0 : this.#toldAt + WANT_EVERY_MS - clock.now();
    if (wait <= 0) {
      this.#tell([]);
      return;
    }
    this.#timer = clock.after(wait, () => {
      this.#timer = undefined;
      if (waiting() !== this.#wanted) this.#tell([]);
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #tell(back: SlotClaim['back']): void {
    const { service, clock, post, waiting } = this.#options;
    this.#wanted = waiting();
    this.#toldAt = clock.now();
    post({ type: 'slots', service, want: this.#wanted, back });
  }
}
