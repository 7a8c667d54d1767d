import type { ClientPeer } from './client-peer.ts';
import type { ClientConnection, ListenerContext } from './listener-context.ts';

/** The place of one connection among those that the limits of its listener are about. */
export class ConnectionPlace {
  readonly #connection: ClientConnection;
  readonly #listener: ListenerContext;
  /** Whose connections it counts among; undefined: nobody's. */
  #countedFor: string | undefined;
  /** It has its place still. */
  isTaken = true;

  /** Takes a place. */
  constructor(connection: ClientConnection, listener: ListenerContext) {
    this.#connection = connection;
    this.#listener = listener;
    listener.connections.add(connection);
    listener.open++;
  }

  /** Now it is known who the other end is: it counts among its connections. @returns whether those are too many */
  countFor({ address, trusted }: ClientPeer): boolean {
    if (trusted) return false;
    this.#countedFor = address;
    const count = this.#listener.clients.enter(address);
    const most = this.#listener.limits.connectionsPerClient;
    return most > 0 && count > most;
  }

  /** Another connection gets its place; it counts among its client's until it is closed. */
  lose(): void {
    if (!this.isTaken) return;
    this.isTaken = false;
    this.#listener.connections.delete(this.#connection);
    this.#listener.open--;
  }

  /** The connection is closed. */
  leave(): void {
    this.lose();
    if (this.#countedFor !== undefined) this.#listener.clients.leave(this.#countedFor);
  }
}
