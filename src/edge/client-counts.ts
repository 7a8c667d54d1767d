/** How many connections each client address has open: as many entries as there are connections, at most. */
export class ClientCounts {
  readonly #counts = new Map<string, number>();

  /** A connection of `address` opened. @returns how many it has now */
  enter(address: string): number {
    const count = (this.#counts.get(address) ?? 0) + 1;
    this.#counts.set(address, count);
    return count;
  }

  /** One of them closed. */
  leave(address: string): void {
    const count = this.#counts.get(address) ?? 0;
    if (count > 1) this.#counts.set(address, count - 1);
    else this.#counts.delete(address);
  }

  /** Addresses with a connection. */
  get size(): number {
    return this.#counts.size;
  }
}
