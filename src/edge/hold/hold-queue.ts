import { Histogram, type SparseCounts } from '../../util/histogram.ts';
import { clientKey } from '../io/client-address.ts';
import { HalfClosed } from './half-closed.ts';
import type { Displacement, Waiter } from './waiter.ts';

/** Most waiters in a queue, and most of one client; 0 = no limit per client. */
interface HoldBounds {
  readonly max: number;
  readonly perClient: number;
}

/**
 * Queues those who wait for an endpoint, first come first served. To take one out of the middle costs no more than from
 * the front.
 */
export class HoldQueue {
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #size = 0;
  #passive = 0;
  #load = 0;
  /** Waiters per client; made when something waits for the first time. */
  #perClient: Map<string, number> | undefined;
  /** Made for the first half-closed waiter. */
  #halfClosed: HalfClosed | undefined;

  get size(): number {
    return this.#size;
  }

  /** Number of waiters that may wake the service. */
  get asking(): number {
    return this.#size - this.#passive;
  }

  /** Number of waiters that count as load. */
  get load(): number {
    return this.#load;
  }

  /** Returns for how long each of those has waited, not counting a start. */
  ages(now: number): SparseCounts {
    if (this.#load === 0) return [];
    const ages = new Histogram();
    for (let each = this.#first; each !== undefined; each = each.nextHeld) {
      if (each.isLoad) ages.add(each.queuedMs(now));
    }
    return ages.sparse();
  }

  /** The first waiter that may wake the service. */
  get firstActive(): Waiter | undefined {
    if (this.asking === 0) return undefined;
    let each = this.#first;
    while (each?.passive) each = each.nextHeld;
    return each;
  }

  /** Returns how many wait for the client at an address. */
  #countOf(address: string): number {
    return this.#perClient?.get(clientKey(address)) ?? 0;
  }

  /** The client of a waiter closed its sending side. */
  mark(waiter: Waiter): void {
    this.#halfClosed ??= new HalfClosed();
    this.#halfClosed.add(clientKey(waiter.address), waiter);
  }

  /**
   * Makes room for one more within the bounds, by those who yield their places first.
   * @param address of its client
   * @returns the bound that is reached all the same; undefined: there is room
   */
  makeRoom(address: string, { max, perClient }: HoldBounds): Displacement | undefined {
    if (perClient > 0 && this.#countOf(address) >= perClient) {
      this.#halfClosed?.firstOf(clientKey(address))?.yieldPlace('HOLD_CLIENT');
      if (this.#countOf(address) >= perClient) return 'HOLD_CLIENT';
    }
    if (this.#size >= max) this.#halfClosed?.first?.yieldPlace('HOLD_FULL');
    return this.#size < max ? undefined : 'HOLD_FULL';
  }

  /** All waiters that give up their places first. */
  get yielding(): Iterable<Waiter> {
    return this.#halfClosed ?? [];
  }

  push(waiter: Waiter): void {
    waiter.previousHeld = this.#last;
    waiter.nextHeld = undefined;
    if (this.#last === undefined) this.#first = waiter;
    else this.#last.nextHeld = waiter;
    this.#last = waiter;
    this.#added(waiter);
  }

  /** Puts a waiter that was dispatched before back to the front. */
  unshift(waiter: Waiter): void {
    waiter.nextHeld = this.#first;
    waiter.previousHeld = undefined;
    if (this.#first === undefined) this.#last = waiter;
    else this.#first.previousHeld = waiter;
    this.#first = waiter;
    this.#added(waiter);
  }

  get first(): Waiter | undefined {
    return this.#first;
  }

  remove(waiter: Waiter): void {
    const { previousHeld: previous, nextHeld: next } = waiter;
    if (previous === undefined) this.#first = next;
    else previous.nextHeld = next;
    if (next === undefined) this.#last = previous;
    else next.previousHeld = previous;
    waiter.previousHeld = undefined;
    waiter.nextHeld = undefined;
    this.#size--;
    if (waiter.passive) this.#passive--;
    if (waiter.isLoad) this.#load--;
    if (waiter.isHalfClosed) this.#halfClosed?.remove(clientKey(waiter.address), waiter);
    this.#count(waiter.address, -1);
  }

  #added(waiter: Waiter): void {
    this.#size++;
    if (waiter.passive) this.#passive++;
    if (waiter.isLoad) this.#load++;
    if (waiter.isHalfClosed) this.mark(waiter);
    this.#count(waiter.address, 1);
  }

  #count(address: string, change: number): void {
    this.#perClient ??= new Map();
    const client = clientKey(address);
    const count = (this.#perClient.get(client) ?? 0) + change;
    if (count > 0) this.#perClient.set(client, count);
    else this.#perClient.delete(client);
  }
}
