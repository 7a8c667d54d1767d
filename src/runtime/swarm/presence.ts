import { connect } from 'node:net';
import type { HostPort } from '../../model/settings.ts';

/** What came of an attempt to connect. */
export type Presence = 'there' | 'gone' | 'silent';

/** An attempt to connect takes no longer than this, ms. */
const CONNECT_MS = 1000;
/** How many replicas are remembered to have been there. */
const REMEMBERED = 4096;

/** Tries whether something listens at an address. Nothing is sent. */
export function knock({ host, port }: HostPort): Promise<Presence> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (presence: Presence) => {
      socket.destroy();
      resolve(presence);
    };
    socket.setTimeout(CONNECT_MS, () => end('silent'));
    socket.on('connect', () => end('there'));
    socket.on('error', () => end('gone'));
  });
}

/**
 * Whether replicas are where they were. Swarm notices only after some ten seconds that a host is lost with all that ran
 * on it.
 */
export class Presences {
  readonly #knock: typeof knock;
  /** Those that were there once: what has only begun to run may not listen yet. */
  readonly #seen = new Set<string>();

  constructor(tries: typeof knock = knock) {
    this.#knock = tries;
  }

  /** @param isLost whether its host is: then silence means that it is gone */
  async isGone(id: string, address: HostPort, isLost: boolean): Promise<boolean> {
    const presence = await this.#knock(address);
    if (presence === 'there') {
      this.#remember(id);
      return false;
    }
    return this.#seen.has(id) && (presence === 'gone' || isLost);
  }

  forget(id: string): void {
    this.#seen.delete(id);
  }

  #remember(id: string): void {
    this.#seen.add(id);
    for (const oldest of this.#seen) {
      if (this.#seen.size <= REMEMBERED) return;
      this.#seen.delete(oldest);
    }
  }
}
