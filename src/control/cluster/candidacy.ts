import type { LeaderLock, LockState } from '../../model/cluster.ts';
import { toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import { type Clock, sleep, type Timer } from '../../util/clock.ts';
import { type Leadership, type LeadershipEvent, nextLeadership, rightOf } from './leadership.ts';

interface CandidacyOptions {
  lock: LeaderLock;
  clock: Clock;
  logger: Logger;
  ttlMs: number;
  /** Called after every change; also where only another index is led under. */
  onChange: (before: Leadership, after: Leadership) => void;
  /** Called with what is known of lock and members, whenever that changes. */
  onSeen: (state: LockState) => void;
}

/** Of the TTL: how often a session is renewed, and how soon that is tried again where it failed. */
const RENEW_SHARE = 1 / 3;
const AGAIN_SHARE = 1 / 20;
/** Of the TTL: how often the lock is asked for though another member seems to have it. */
const ASK_SHARE = 1 / 2;
/** How soon a lock that nobody has is asked for again, ms: after its holder's end nobody gets it for a second. */
const FREE_AGAIN_MS = 200;

/** Keeps a session, and stands for the lock whenever nobody has it. */
export class Candidacy {
  readonly #options: CandidacyOptions;
  readonly #life = new AbortController();
  #leadership: Leadership = { state: 'outside' };
  #seen: LockState | undefined;
  /** A session that was given up, and may still hold the lock. */
  #abandoned: string | undefined;
  #isStanding = false;
  /** Counts how often it has begun to stand: what an earlier time began ends by itself. */
  #time = 0;
  #tick: Timer | undefined;
  #wake: (() => void) | undefined;
  #trouble: string | undefined;

  constructor(options: CandidacyOptions) {
    this.#options = options;
  }

  get leadership(): Leadership {
    return this.#leadership;
  }

  /** Under which index acts are right at this moment; undefined: none is. */
  get right(): number | undefined {
    return rightOf(this.#leadership, this.#options.clock.now(), this.#options.ttlMs);
  }

  /** Why the lock cannot be had or kept; undefined while Consul answers. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  /** Stands from now on, until `resign`. */
  begin(): void {
    if (this.#isStanding || this.#life.signal.aborted) return;
    const { clock, lock, ttlMs } = this.#options;
    this.#isStanding = true;
    this.#tick = clock.every(ttlMs / 40, () => this.#apply({ type: 'passed' }));
    const time = ++this.#time;
    if (time === 1) lock.follow((state) => this.#look(state), this.#life.signal);
    void this.#keepSession(time);
    void this.#ask(time);
  }

  /** Stands no more, and gives back what it has. What is known of the others goes on. Resolves when done, or not. */
  async resign(signal: AbortSignal): Promise<void> {
    this.#isStanding = false;
    this.#tick?.cancel();
    const before = this.#leadership;
    if (before.state === 'outside') return;
    this.#set({ state: 'outside' });
    await this.#options.lock.end(before.session, signal).catch((error: unknown) => {
      const { code, message } = toPilotlightError(error);
      this.#options.logger.warn({ code }, `the lock of the cluster was not given back, and ends by itself: ${message}`);
    });
  }

  /** Ends all of it. */
  close(): void {
    this.#isStanding = false;
    this.#tick?.cancel();
    this.#life.abort();
  }

  async #keepSession(time: number): Promise<void> {
    const { clock, lock, ttlMs } = this.#options;
    const { signal } = this.#life;
    while (this.#isStanding && time === this.#time) {
      const { state } = this.#leadership;
      const askedAt = clock.now();
      try {
        if (this.#leadership.state === 'outside') {
          await this.#endAbandoned();
          const session = await lock.open(signal);
          if (!this.#isStanding) await lock.end(session, signal);
          else this.#apply({ type: 'opened', session, askedAt });
        } else {
          const { session } = this.#leadership;
          const isThere = await lock.renew(session, signal);
          this.#apply(isThere ? { type: 'renewed', session, askedAt } : { type: 'ended', session });
        }
        this.#well();
        if (this.#leadership.state === 'outside') continue;
        if (state === 'outside') this.#nudge();
        await sleep(clock, Math.max(0, askedAt + ttlMs * RENEW_SHARE - clock.now()), signal);
      } catch (error) {
        if (signal.aborted) return;
        this.#ill(error);
        await sleep(clock, ttlMs * AGAIN_SHARE, signal).catch(() => undefined);
      }
    }
  }

  /** Asks for the lock as long as another one does not seem to have it; from time to time also then. */
  async #ask(time: number): Promise<void> {
    const { clock, lock, ttlMs } = this.#options;
    const { signal } = this.#life;
    while (this.#isStanding && time === this.#time) {
      const { leadership } = this;
      if (leadership.state === 'following') {
        this.#apply({ type: 'asked' });
        try {
          const isOurs = await lock.acquire(leadership.session, signal);
          if (isOurs) this.#look(await lock.look(signal));
        } catch (error) {
          if (signal.aborted) return;
          this.#ill(error);
        }
        this.#apply({ type: 'refused' });
      }
      const isFree = this.#seen?.session === undefined;
      await this.#pause(isFree ? Math.min(FREE_AGAIN_MS, ttlMs * AGAIN_SHARE) : ttlMs * ASK_SHARE, clock);
    }
  }

  async #endAbandoned(): Promise<void> {
    const session = this.#abandoned;
    if (session === undefined) return;
    await this.#options.lock.end(session, this.#life.signal);
    this.#abandoned = undefined;
  }

  #look(state: LockState): void {
    // Answers may overtake each other.
    const isNews = this.#seen === undefined || state.index >= this.#seen.index || state.index === 0;
    if (!isNews) return;
    const wasHeld = this.#seen?.session !== undefined;
    this.#seen = state;
    this.#apply({ type: 'seen', session: state.session, index: state.index });
    this.#options.onSeen(state);
    if (wasHeld && state.session === undefined) this.#nudge();
  }

  #apply(event: LeadershipEvent): void {
    if (!this.#isStanding) return;
    const { clock, ttlMs } = this.#options;
    this.#set(nextLeadership(this.#leadership, event, clock.now(), ttlMs));
  }

  #set(after: Leadership): void {
    const before = this.#leadership;
    if (after === before) return;
    this.#leadership = after;
    if (before.state === 'suspended' && after.state === 'outside') this.#abandoned = before.session;
    this.#options.onChange(before, after);
  }

  /** Waits, or until something has changed. */
  #pause(ms: number, clock: Clock): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        timer.cancel();
        this.#wake = undefined;
        resolve();
      };
      const timer = clock.after(ms, done);
      this.#wake = done;
    });
  }

  #nudge(): void {
    this.#wake?.();
  }

  #ill(error: unknown): void {
    const { code, message } = toPilotlightError(error);
    if (this.#trouble === undefined) {
      this.#options.logger.warn({ code }, `${message}; it is tried again, and what is warm goes on`);
    }
    this.#trouble = message;
  }

  #well(): void {
    if (this.#trouble !== undefined) this.#options.logger.info({}, 'Consul answers for the cluster again');
    this.#trouble = undefined;
  }
}
