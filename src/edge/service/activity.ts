import type { HoldQueue } from '../hold/hold-queue.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { InFlight } from '../upstream/in-flight.ts';

/** Most characters of a path that are told of a request. */
const MAX_LABEL = 60;
/** A longer segment of a path may be a secret: it is not told. */
const MAX_SEGMENT = 24;

/** What the idle clock of one service goes by: when its last activity ended, and which request that was. */
export class Activity {
  /** End of the last exchange or wait, the clock's ms. */
  #at: number;
  #action = '';
  #target = '';
  #label: string | undefined;

  /** @param now from when there was none yet, the clock's ms */
  constructor(now: number) {
    this.#at = now;
  }

  /** It, or its wait, ended. */
  note(ended: InFlight, now: number): void {
    if (ended.passive) return;
    this.#at = now;
    this.#action = ended.action;
    this.#target = ended.target;
  }

  /**
   * How long there has been none, ms, and the request that it goes by: what is held is activity, what is in flight too,
   * unless no byte passed for `streamMs`.
   */
  look(queue: HoldQueue, endpoints: Iterable<Endpoint>, streamMs: number, now: number): ActivityView {
    const waiting = queue.firstActive;
    if (waiting !== undefined) return { idleForMs: 0, lastRequest: labelOf(waiting) };
    let latest = this.#at;
    let last: InFlight | undefined;
    for (const endpoint of endpoints) {
      for (let each = endpoint.first; each !== undefined; each = each.nextInFlight) {
        if (each.passive) continue;
        const quietSince = each.quietSince(now, streamMs);
        if (quietSince === undefined) return { idleForMs: 0, lastRequest: labelOf(each) };
        if (quietSince >= latest) [latest, last] = [quietSince, each];
      }
    }
    return { idleForMs: Math.max(0, now - latest), lastRequest: last === undefined ? this.#last() : labelOf(last) };
  }

  /** Made once for each request that is told of, and its head is let go then. */
  #last(): string | undefined {
    if (this.#action !== '') {
      this.#label = requestLabel(this.#action, this.#target);
      this.#action = '';
      this.#target = '';
    }
    return this.#label;
  }
}

export interface ActivityView {
  idleForMs: number;
  lastRequest: string | undefined;
}

function labelOf({ action, target }: InFlight): string {
  return requestLabel(action, target);
}

/** Method and path, without the query and what may be a secret, of bounded length: `GET /orders/…`. */
export function requestLabel(method: string, target: string): string {
  const query = target.search(/[?#]/);
  const path = target.slice(0, query < 0 ? 4 * MAX_LABEL : Math.min(query, 4 * MAX_LABEL));
  const told = path
    .split('/')
    .map((segment) => (segment.length > MAX_SEGMENT ? '…' : segment.replace(/[^!-~]/g, '?')))
    .join('/');
  const label = `${method.slice(0, MAX_SEGMENT)} ${told.length > MAX_LABEL ? `${told.slice(0, MAX_LABEL)}…` : told}`;
  // A copy: parts of a string keep all of it in memory.
  return Buffer.from(label).toString();
}
