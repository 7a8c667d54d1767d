import type { Exchange } from '../exchange/exchange.ts';
import { clientKey } from '../io/client-address.ts';
import { HalfClosed } from './half-closed.ts';

/** Requests that wait, first come first served; taking one out of the middle costs as little as from the front. */
export class HoldQueue {
  #first: Exchange | undefined;
  #last: Exchange | undefined;
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
  get firstActive(): Exchange | undefined {
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
  mark(exchange: Exchange): void {
    this.#halfClosed ??= new HalfClosed();
    this.#halfClosed.add(clientKey(exchange.address), exchange);
  }

  /** Who gives its place up before anybody is turned away; of the client at an address only, where one is given. */
  firstToYield(address?: string): Exchange | undefined {
    return address === undefined ? this.#halfClosed?.first : this.#halfClosed?.firstOf(clientKey(address));
  }

  /** All of those. */
  get yielding(): Iterable<Exchange> {
    return this.#halfClosed ?? [];
  }

  push(exchange: Exchange): void {
    exchange.previousHeld = this.#last;
    exchange.nextHeld = undefined;
    if (this.#last === undefined) this.#first = exchange;
    else this.#last.nextHeld = exchange;
    this.#last = exchange;
    this.#added(exchange);
  }

  /** Puts one that was dispatched already back to the front. */
  unshift(exchange: Exchange): void {
    exchange.nextHeld = this.#first;
    exchange.previousHeld = undefined;
    if (this.#first === undefined) this.#last = exchange;
    else this.#first.previousHeld = exchange;
    this.#first = exchange;
    this.#added(exchange);
  }

  get first(): Exchange | undefined {
    return this.#first;
  }

  remove(exchange: Exchange): void {
    const { previousHeld: previous, nextHeld: next } = exchange;
    if (previous === undefined) this.#first = next;
    else previous.nextHeld = next;
    if (next === undefined) this.#last = previous;
    else next.previousHeld = previous;
    exchange.previousHeld = undefined;
    exchange.nextHeld = undefined;
    this.#size--;
    if (exchange.passive) this.#passive--;
    if (exchange.isHalfClosed) this.#halfClosed?.remove(clientKey(exchange.address), exchange);
    this.#count(exchange.address, -1);
  }

  #added(exchange: Exchange): void {
    this.#size++;
    if (exchange.passive) this.#passive++;
    if (exchange.isHalfClosed) this.mark(exchange);
    this.#count(exchange.address, 1);
  }

  #count(address: string, change: number): void {
    this.#perClient ??= new Map();
    const client = clientKey(address);
    const count = (this.#perClient.get(client) ?? 0) + change;
    if (count > 0) this.#perClient.set(client, count);
    else this.#perClient.delete(client);
  }
}
