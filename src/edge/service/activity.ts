import type { HoldQueue } from '../hold/hold-queue.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Work } from '../upstream/in-flight.ts';

/** The path of a request is told up to this length, characters. */
const MAX_LABEL = 60;
/** A longer segment of a path may be a secret, so it is left out. */
const MAX_SEGMENT = 24;

/** Keeps what the idle clock of one service goes by: when its last activity ended, and which request that was. */
export class Activity {
  /** When the last request, or its wait, ended; the clock's ms. */
  #at: number;
  #action = '';
  #target = '';
  #label: string | undefined;

  /** @param now the clock's ms; the service counts as active until then */
  constructor(now: number) {
    this.#at = now;
  }

  /** A request, or its wait, ended. */
  note(ended: Work, now: number): void {
    if (ended.passive) return;
    this.#at = now;
    this.#action = ended.action;
    this.#target = ended.target;
  }

  /**
   * Tells how long the service has been idle, and which request was active last. A held request is active. One in
   * flight is active until no byte passed for `streamMs`.
   */
  look(queue: HoldQueue, endpoints: Iterable<Endpoint>, streamMs: number, now: number): ActivityView {
    const waiting = queue.firstActive;
    if (waiting !== undefined) return { idleForMs: 0, lastRequest: labelOf(waiting) };
    let latest = this.#at;
    let last: Work | undefined;
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

  /** Makes the label of a request once, and lets go of the head that its target is part of. */
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

function labelOf({ action, target }: Work): string {
  return requestLabel(action, target);
}

/**
 * Makes a label such as `GET /orders/…`: method and path, of bounded length, without the query and without what may be
 * a secret.
 */
export function requestLabel(method: string, target: string): string {
  const query = target.search(/[?#]/);
  const path = target.slice(0, query < 0 ? 4 * MAX_LABEL : Math.min(query, 4 * MAX_LABEL));
  const told = path
    .split('/')
    .map((segment) => (segment.length > MAX_SEGMENT ? '…' : segment.replace(/[^!-~]/g, '?')))
    .join('/');
  const label = `${method.slice(0, MAX_SEGMENT)} ${told.length > MAX_LABEL ? `${told.slice(0, MAX_LABEL)}…` : told}`;
  // A part of a string keeps the whole string in memory, so this makes a copy.
  return Buffer.from(label).toString();
}
