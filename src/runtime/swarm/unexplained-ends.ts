import type { Host } from './host.ts';
import { remember } from './remember.ts';

/** The host of one that was given up, as it was then. */
type Seen = Pick<Host, 'id' | 'changedAt'>;

/**
 * Tells a replica that does not listen any more from one whose host is lost, which looks the same until Swarm notices
 * that. One end like that may be the host's; where it is followed by another one of the same replica, while Swarm has
 * nothing new to say of the host before, they are the replica's own.
 */
export class UnexplainedEnds {
  /** The last one of each replica, by the service of the swarm that it is: its tasks are gone while it waits for a start. */
  readonly #last = new Map<string, Seen>();

  /**
   * Takes note of one.
   * @param host of the one that was given up; undefined where it is no part of the swarm any more
   * @param hosts all of them, as they are now
   * @returns whether it is the replica's own doing
   */
  note(service: string, host: Host | undefined, hosts: ReadonlyMap<string, Host>): boolean {
    const before = this.#last.get(service);
    if (host === undefined) this.#last.delete(service);
    else remember(this.#last, service, { id: host.id, changedAt: host.changedAt });
    return before !== undefined && host !== undefined && hosts.get(before.id)?.changedAt === before.changedAt;
  }
}
