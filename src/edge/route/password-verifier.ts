import type { Logger } from '../../model/observe.ts';
import { isPasswordOf, type PasswordHash } from '../../util/password-hash.ts';

/** Most hashes computed at once: each takes a thread of Node's pool of four, and its memory. */
const MAX_RUNNING = 2;
/** Most different passwords that wait for their turn, and most requests that wait for any of them. */
const MAX_QUEUED = 64;
const MAX_WAITING = 256;

/** Who waits for a password to be checked. It is told at most once, and never within `verify`. */
export interface PasswordWaiter {
  onPasswordChecked(granted: boolean): void;
}

interface Check {
  key: string;
  hash: PasswordHash;
  password: Buffer;
  waiting: Set<PasswordWaiter>;
  conclude: (right: boolean) => boolean;
}

/**
 * Checks passwords off the event loop, a few at a time. Requests with the same credentials share one check. Nothing is
 * accepted beyond the bounds, so a flood of wrong passwords costs two threads and no more.
 */
export class PasswordVerifier {
  readonly #logger: Logger;
  /** Running and queued, by key; the queued ones in the order of arrival. */
  readonly #checks = new Map<string, Check>();
  readonly #queue: Check[] = [];
  readonly #checkOf = new Map<PasswordWaiter, Check>();
  #running = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /**
   * Has a password checked.
   * @param key the same for requests that may share the check
   * @param conclude called once with the outcome; returns what the waiters are told
   * @returns false when too many are waiting; then the waiter is not told anything
   */
  verify(
    key: string,
    hash: PasswordHash,
    password: Buffer,
    waiter: PasswordWaiter,
    conclude: Check['conclude'],
  ): boolean {
    if (this.#checkOf.size >= MAX_WAITING) return false;
    let check = this.#checks.get(key);
    if (check === undefined) {
      if (this.#queue.length >= MAX_QUEUED) return false;
      check = { key, hash, password, waiting: new Set(), conclude };
      this.#checks.set(key, check);
      this.#queue.push(check);
      this.#next();
    }
    check.waiting.add(waiter);
    this.#checkOf.set(waiter, check);
    return true;
  }

  /** The waiter is gone. A check that nobody waits for any more is not started. */
  forget(waiter: PasswordWaiter): void {
    const check = this.#checkOf.get(waiter);
    if (check === undefined) return;
    this.#checkOf.delete(waiter);
    check.waiting.delete(waiter);
    const queued = check.waiting.size === 0 ? this.#queue.indexOf(check) : -1;
    if (queued < 0) return;
    this.#queue.splice(queued, 1);
    this.#checks.delete(check.key);
  }

  #next(): void {
    if (this.#running >= MAX_RUNNING) return;
    const check = this.#queue.shift();
    if (check === undefined) return;
    this.#running++;
    isPasswordOf(check.hash, check.password).then(
      (right) => this.#finish(check, right),
      (error: unknown) => {
        this.#logger.error({ err: error }, 'a password could not be checked');
        this.#finish(check, false);
      },
    );
  }

  #finish(check: Check, right: boolean): void {
    this.#running--;
    this.#checks.delete(check.key);
    this.#next();
    const granted = check.conclude(right);
    for (const waiter of check.waiting) {
      this.#checkOf.delete(waiter);
      waiter.onPasswordChecked(granted);
    }
  }
}
