import { connect } from 'node:net';
import type { HostPort } from '../../model/settings.ts';
import { isOwnWant } from '../../util/own-wants.ts';
import { remember } from './remember.ts';

/** What came of an attempt to connect. */
export type Presence = 'there' | 'gone' | 'silent';

/** An attempt to connect takes no longer than this, ms. */
const CONNECT_MS = 1000;

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
    socket.on('error', ({ code }: NodeJS.ErrnoException) => end(presenceAfter(code)));
  });
}

/** What an attempt that failed with a code tells. For want of something here it tells nothing of who is there. */
export function presenceAfter(code: string | undefined): Presence {
  return isOwnWant(code) ? 'silent' : 'gone';
}

/** Why a replica was given up, and whether that is its own doing and not its host's. */
export interface GivenUp {
  why: string;
  isOwnDoing: boolean;
}

/**
 * Whether replicas are where they were. Swarm notices only after some ten seconds that a host is lost with all that ran
 * on it.
 */
export class Presences {
  readonly #knock: typeof knock;
  /** Those that were there once: what has only begun to run may not listen yet. */
  readonly #seen = new Map<string, true>();
  /** Those that were given up: they are used no more, whatever comes back. */
  readonly #givenUp = new Map<string, GivenUp>();

  constructor(tries: typeof knock = knock) {
    this.#knock = tries;
  }

  /** @param isLost whether its host is: then silence means that it is gone */
  async isGone(id: string, address: HostPort, isLost: boolean): Promise<boolean> {
    const presence = await this.#knock(address);
    if (presence === 'there') {
      remember(this.#seen, id, true);
      return false;
    }
    return this.#seen.has(id) && (presence === 'gone' || isLost);
  }

  giveUp(id: string, end: GivenUp): void {
    remember(this.#givenUp, id, end);
  }

  /** Why it was given up; undefined where it was not. */
  givenUp(id: string): GivenUp | undefined {
    return this.#givenUp.get(id);
  }

  forget(id: string): void {
    this.#seen.delete(id);
  }
}
