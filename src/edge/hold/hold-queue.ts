import { clientKey } from '../io/client-address.ts';
import { HalfClosed } from './half-closed.ts';
import type { Waiter } from './waiter.ts';

/** Requests that wait, first come first served; taking one out of the middle costs as little as from the front. */
export class HoldQueue {
  #first: Waiter | undefined;
  #last: Waiter | undefined;
  #size = 0;
  #passive = 0;
  /** Made when something waits for the first time. */
  #perClient: Map<string, number> | undefined;
  /** Made for the first of them. */
  #halfClosed: HalfClosed | undefined;

  get size(): number {
    return this.#size;
  }

  /** How many of them ask for the service: the others may not wake it. */
  get asking(): number {
    return this.#size - this.#passive;
  }

  /** The first that asks for the service. */
  get firstActive(): Waiter | undefined {
    if (this.asking === 0) return undefined;
    let each = this.#first;
    while (each?.passive) each = each.nextHeld;
    return each;
  }

  /** How many wait for the client at an address. */
  countOf(address: string): number {
    return this.#perClient?.get(clientKey(address)) ?? 0;
  }

  /** The client of a held request closed its sending side. */
  mark(waiter: Waiter): void {
    this.#halfClosed ??= new HalfClosed();
    this.#halfClosed.add(clientKey(waiter.address), waiter);
  }

  /** Who gives its place up before anybody is turned away; of the client at an address only, where one is given. */
  firstToYield(address?: string): Waiter | undefined {
    return address === undefined ? this.#halfClosed?.first : this.#halfClosed?.firstOf(clientKey(address));
  }

  /** All of those. */
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

  /** Puts one that was dispatched already back to the front. */
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
