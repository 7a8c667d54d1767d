import { randomBytes } from 'node:crypto';
import type { TicketKeysView } from '../model/certificates.ts';
import type { Clock } from '../util/clock.ts';

/** How long one set of keys is used, ms. A ticket of an earlier one costs its client a full handshake, never an error. */
const LIFE_MS = 12 * 3_600_000;
const BYTES = 48;

/**
 * The keys by which session tickets are made and read: the same in every process, so that a client resumes with
 * whichever it reaches.
 */
export class TicketKeys {
  readonly #clock: Clock;
  #view: TicketKeysView;

  /** @param inherited those of the process before this one: its clients go on resuming */
  constructor(clock: Clock, inherited?: TicketKeysView) {
    this.#clock = clock;
    this.#view = inherited !== undefined && isSound(inherited) ? inherited : this.#fresh();
  }

  get view(): TicketKeysView {
    return this.#view;
  }

  /** Replaces keys that were used for long enough. @returns whether it did */
  rotate(): boolean {
    const age = this.#clock.wall() - this.#view.madeAt;
    if (age >= 0 && age < LIFE_MS) return false;
    this.#view = this.#fresh();
    return true;
  }

  #fresh(): TicketKeysView {
    return { keys: randomBytes(BYTES).toString('base64'), madeAt: this.#clock.wall() };
  }
}

function isSound({ keys, madeAt }: TicketKeysView): boolean {
  return Buffer.from(keys, 'base64').length === BYTES && Number.isFinite(madeAt);
}
