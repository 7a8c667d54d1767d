import type { ClientPeer } from './client-peer.ts';
import type { ClientConnection, ListenerContext } from './listener-context.ts';

/** The place of one connection within the limits of its listener. */
export class ConnectionPlace {
  readonly #connection: ClientConnection;
  readonly #listener: ListenerContext;
  /** The address that it is counted for; undefined: none. */
  #countedFor: string | undefined;
  /** It still has its place. */
  isTaken = true;

  /** Takes a place. */
  constructor(connection: ClientConnection, listener: ListenerContext) {
    this.#connection = connection;
    this.#listener = listener;
    listener.connections.add(connection);
    listener.open++;
  }

  /** The other end is known now: counts the connection for it. @returns whether it has too many */
  countFor({ address, trusted }: ClientPeer): boolean {
    if (trusted) return false;
    this.#countedFor = address;
    const count = this.#listener.clients.enter(address);
    const most = this.#listener.limits.connectionsPerClient;
    return most > 0 && count > most;
  }

  /** Gives its place to another connection. It stays counted for its client until it is closed. */
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
