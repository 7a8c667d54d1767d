import type { SimulatedRequest } from '../request.ts';

const FIRST_ROOM = 16;

/**
 * The requests in flight at an endpoint. Each second asks for the age of every one, of which there are thousands in an
 * overload: so their times lie side by side, in no order.
 */
export class InFlight {
  readonly #requests: SimulatedRequest[] = [];
  #arrivedAt = new Float64Array(FIRST_ROOM);
  #since = new Float64Array(FIRST_ROOM);
  #orders = new Float64Array(FIRST_ROOM);
  #count = 0;

  get size(): number {
    return this.#requests.length;
  }

  /** Its times do not change while it is in. */
  add(request: SimulatedRequest): void {
    const place = this.#requests.length;
    if (place === this.#arrivedAt.length) this.#grow();
    request.place = place;
    this.#requests.push(request);
    this.#arrivedAt[place] = request.arrivedAt;
    this.#since[place] = request.since;
    this.#orders[place] = this.#count++;
  }

  /** Takes one out that is in; the last takes its place. */
  remove(request: SimulatedRequest): void {
    const { place } = request;
    const last = this.#requests.pop() as SimulatedRequest;
    if (last === request) return;
    const lastPlace = this.#requests.length;
    last.place = place;
    this.#requests[place] = last;
    this.#arrivedAt[place] = this.#arrivedAt[lastPlace] as number;
    this.#since[place] = this.#since[lastPlace] as number;
    this.#orders[place] = this.#orders[lastPlace] as number;
  }

  /** When each arrived, the clock's ms. Not to be kept. */
  get arrivals(): Float64Array {
    return this.#arrivedAt.subarray(0, this.#requests.length);
  }

  /** Since when the service is responsible for each, in the order of `arrivals`. Not to be kept. */
  get sinces(): Float64Array {
    return this.#since.subarray(0, this.#requests.length);
  }

  /** In the order in which they were sent. */
  inOrder(): SimulatedRequest[] {
    return this.#requests.toSorted((a, b) => (this.#orders[a.place] as number) - (this.#orders[b.place] as number));
  }

  #grow(): void {
    this.#arrivedAt = twice(this.#arrivedAt);
    this.#since = twice(this.#since);
    this.#orders = twice(this.#orders);
  }
}

function twice(times: Float64Array): Float64Array<ArrayBuffer> {
  const more = new Float64Array(2 * times.length);
  more.set(times);
  return more;
}
