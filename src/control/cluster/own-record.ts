import type { LeaderLock, LockState, MemberRecord } from '../../model/cluster.ts';
import { toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import { unlessAborted } from '../../util/abort.ts';
import { type Clock, sleep } from '../../util/clock.ts';

interface OwnRecordOptions {
  lock: LeaderLock;
  self: Omit<MemberRecord, 'index'>;
  clock: Clock;
  logger: Logger;
  /** How soon what failed is tried again, ms. */
  againMs: number;
}

/** This member's record beside the lock: every new leader waits for those that have one. */
export class OwnRecord {
  readonly #options: OwnRecordOptions;
  readonly #life = new AbortController();
  /** The index in it; undefined: it is to be written anew. */
  #index: number | undefined;
  /** The leader in it that cannot be reached. */
  #unreached: number | undefined;
  #writing: Promise<unknown> = Promise.resolve();
  /** Whether it was there when the lock was heard of last. */
  #wasThere = false;

  constructor(options: OwnRecordOptions) {
    this.#options = options;
  }

  /** Writes it unless it is so; tries until it is, or is to be another one. @param index of the leader that leads its edges */
  enter(index: number): Promise<void> {
    if (this.#index === index || this.#life.signal.aborted) return Promise.resolve();
    this.#index = index;
    const entering = this.#write(index);
    this.#writing = Promise.all([this.#writing, entering]);
    return entering;
  }

  /** Writes that there is no connection to the leader of that index, or, with undefined, that there is one. */
  complain(unreached: number | undefined): void {
    if (this.#unreached === unreached) return;
    this.#unreached = unreached;
    const index = this.#index;
    if (index === undefined) return;
    this.#index = undefined;
    void this.enter(index);
  }

  /** Tries no more to write that index. */
  giveUp(index: number): void {
    if (this.#index === index) this.#index = undefined;
  }

  /** A leader that has not seen this member for long takes it for gone: it is entered again. */
  seen({ members }: LockState): void {
    const isThere = members.some(({ member }) => member === this.#options.self.member);
    const index = this.#index;
    if (this.#wasThere && !isThere && index !== undefined) {
      this.#index = undefined;
      void this.enter(index);
    }
    this.#wasThere = isThere;
  }

  /** Writes nothing any more. */
  close(): void {
    this.#index = undefined;
    this.#life.abort();
  }

  /** Takes it away for good, behind what is being written. @throws what `LeaderLock.leave` throws; the signal's reason */
  async leave(signal: AbortSignal): Promise<void> {
    this.#index = undefined;
    this.#wasThere = false;
    await unlessAborted(this.#writing, signal);
    await this.#options.lock.leave(this.#options.self.member, signal);
  }

  async #write(index: number): Promise<void> {
    const { lock, self, logger, clock, againMs } = this.#options;
    const { signal } = this.#life;
    for (;;) {
      try {
        const unreached = this.#unreached;
        await lock.enter({ ...self, index, ...(unreached !== undefined && { unreached }) }, signal);
        return;
      } catch (error) {
        if (signal.aborted || this.#index !== index) return;
        if (index === 0) logger.warn({}, `${toPilotlightError(error).message}; it is tried again`);
        await sleep(clock, againMs, signal).catch(() => undefined);
      }
    }
  }
}
