import { clientKey } from '../io/client-address.ts';

/** How many connections each client has open: as many entries as there are connections, at most. */
export class ClientCounts {
  readonly #counts = new Map<string, number>();

  /** A connection of `address` opened. @returns how many its client has now */
  enter(address: string): number {
    const client = clientKey(address);
    const count = (this.#counts.get(client) ?? 0) + 1;
    this.#counts.set(client, count);
    return count;
  }

  /** How many the client at an address has. */
  of(address: string): number {
    return this.#counts.get(clientKey(address)) ?? 0;
  }

  /** One of them closed. */
  leave(address: string): void {
    const client = clientKey(address);
    const count = this.#counts.get(client) ?? 0;
    if (count > 1) this.#counts.set(client, count - 1);
    else this.#counts.delete(client);
  }

  /** Clients with a connection. */
  get size(): number {
    return this.#counts.size;
  }
}
