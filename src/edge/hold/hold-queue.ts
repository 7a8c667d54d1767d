import { clientKey } from '../io/client-address.ts';
import { HalfClosed } from './half-closed.ts';
import type { Waiter } from './waiter.ts';

/**
 * Queues those who wait for an endpoint, first come first served. To take one out of the middle costs no more than from
 * the front.
 */
export class HoldQueue {
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #size = 0;
  #passive = 0;
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

  /** The first waiter that may wake the service. */
  get firstActive(): Waiter | undefined {
    if (this.asking === 0) return undefined;
    let each = this.#first;
    while (each?.passive) each = each.nextHeld;
    return each;
  }

  /** Returns how many wait for the client at an address. */
  countOf(address: string): number {
    return this.#perClient?.get(clientKey(address)) ?? 0;
  }

  /** The client of a waiter closed its sending side. */
  mark(waiter: Waiter): void {
    this.#halfClosed ??= new HalfClosed();
    this.#halfClosed.add(clientKey(waiter.address), waiter);
  }

  /** Returns the waiter that gives up its place before anybody is turned away; with an address, one of that client. */
  firstToYield(address?: string): Waiter | undefined {
    return address === undefined ? this.#halfClosed?.first : this.#halfClosed?.firstOf(clientKey(address));
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
    if (waiter.isHalfClosed) this.#halfClosed?.remove(clientKey(waiter.address), waiter);
    this.#count(waiter.address, -1);
  }

  #added(waiter: Waiter): void {
    this.#size++;
    if (waiter.passive) this.#passive++;
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
