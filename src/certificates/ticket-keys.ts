import { randomBytes } from 'node:crypto';
import type { TicketKeysView } from '../model/certificates.ts';
import type { SharedSecrets } from '../model/shared-secrets.ts';
import type { Clock } from '../util/clock.ts';

/** How long one set of keys is used, ms. A ticket of an earlier one costs its client a full handshake, never an error. */
const LIFE_MS = 12 * 3_600_000;
const BYTES = 48;
/** Under this name members of a cluster share them. */
export const TICKET_KEYS = 'ticket-keys';

/**
 * The keys by which session tickets are made and read: the same in every process, so that a client resumes with
 * whichever it reaches. In a cluster whoever leads replaces them, and the others use what they have until then.
 */
export class TicketKeys {
  readonly #clock: Clock;
  readonly #shared: SharedSecrets | undefined;
  #view: TicketKeysView;

  /** @param inherited those of the process before this one: its clients go on resuming */
  constructor(clock: Clock, inherited?: TicketKeysView, shared?: SharedSecrets) {
    this.#clock = clock;
    this.#shared = shared;
    this.#view = inherited !== undefined && isSound(inherited) ? inherited : this.#fresh();
  }

  get view(): TicketKeysView {
    return this.#view;
  }

  /** Takes those that are shared, and replaces what was used for long enough. @returns whether there are others now */
  rotate(): boolean {
    const before = this.#view;
    const shared = this.#shared;
    const told = read(shared?.get(TICKET_KEYS));
    if (told !== undefined) this.#view = told;
    if (shared === undefined || shared.mayAct) {
      if (!this.#isYoung(this.#view)) this.#view = this.#fresh();
      // Kept in time, or tried again: see `SharedSecrets.set`.
      if (told?.keys !== this.#view.keys)
        void shared?.set(TICKET_KEYS, JSON.stringify(this.#view)).catch(() => undefined);
    }
    return this.#view.keys !== before.keys;
  }

  /** The clocks of members may differ: what was made in the future was made lately. */
  #isYoung({ madeAt }: TicketKeysView): boolean {
    const age = this.#clock.wall() - madeAt;
    return age < LIFE_MS && age >= (this.#shared === undefined ? 0 : -LIFE_MS);
  }

  #fresh(): TicketKeysView {
    return { keys: randomBytes(BYTES).toString('base64'), madeAt: this.#clock.wall() };
  }
}

function read(text: string | undefined): TicketKeysView | undefined {
  try {
    const view = JSON.parse(text ?? '') as TicketKeysView;
    return isSound(view) ? view : undefined;
  } catch {
    return undefined;
  }
}

function isSound({ keys, madeAt }: TicketKeysView): boolean {
  return Buffer.from(keys, 'base64').length === BYTES && Number.isFinite(madeAt);
}
