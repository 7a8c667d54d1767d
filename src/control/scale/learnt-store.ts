import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../model/observe.ts';
import type { Clock, Timer } from '../../util/clock.ts';
import { fileFault, writeWhole } from '../../util/file-errors.ts';
import { decodeLearnt, encodeLearnt, type Learnt, type Moment } from './learnt.ts';

/** Keeps what was learnt of services over restarts. */
export interface LearntStore<T = Learnt> {
  /** Whether anything was kept of it by an earlier process. */
  has(service: string): boolean;
  /** What was kept of it, once; undefined where that is nothing, or of no use. */
  take(service: string): T | undefined;
  put(service: string, learnt: T): void;
  /** The configuration has it no more. */
  drop(service: string): void;
}

/** Keeps nothing. */
export const noLearntStore: LearntStore<never> = { has: () => false, take: () => undefined, put() {}, drop() {} };

/** How something that was learnt is written down. */
export interface LearntForm<T> {
  /** Whose it is, for messages: `scaling`. */
  whose: string;
  encode: (learnt: T, moment: Moment) => string;
  /** @returns why the text is of no use, in words, where it is */
  decode: (text: string, moment: Moment) => T | string;
}

/** Of what scaling learns. */
export const scalingForm: LearntForm<Learnt> = { whose: 'scaling', encode: encodeLearnt, decode: decodeLearnt };

/** A file of each service is written at most this often, ms. */
const WRITE_EVERY_MS = 60_000;
/** So many files are written at the same time. */
const AT_ONCE = 8;
/** Files that are larger are none of ours, bytes: a few kilobytes are usual. */
const MAX_BYTES = 512 * 1024;
const ENDING = '.json';

/** Keeps it in a directory that this process alone writes to: a file of each service, written whole. */
export class LearntFiles<T> implements LearntStore<T> {
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #form: LearntForm<T>;
  /** Services of which an earlier process kept something that was not asked for yet. */
  readonly #earlier: Set<string>;
  #waiting = new Map<string, T>();
  /** What is written or removed now, and all that was before. */
  #work: Promise<void> = Promise.resolve();
  #isFailing = false;
  /** Undefined: another process may write. */
  #timer: Timer | undefined;

  /** @param services those of the configuration: what was kept of others is removed; undefined: not all are known yet */
  constructor(
    directory: string,
    services: Iterable<string> | undefined,
    clock: Clock,
    logger: Logger,
    form: LearntForm<T>,
  ) {
    this.#form = form;
    this.#directory = directory;
    this.#clock = clock;
    this.#logger = logger;
    this.#earlier = new Set(this.#kept());
    this.resume();
    const known = new Set(services ?? this.#earlier);
    for (const service of this.#earlier) if (!known.has(service)) this.drop(service);
  }

  has(service: string): boolean {
    return this.#earlier.has(service);
  }

  take(service: string): T | undefined {
    if (!this.#earlier.delete(service)) return undefined;
    const file = this.#fileOf(service);
    const learnt = this.#read(file);
    if (typeof learnt !== 'string') return learnt as T;
    this.#logger.warn({ file }, `what was learnt of ${service} before is not used: ${learnt}`);
    return undefined;
  }

  put(service: string, learnt: T): void {
    if (this.#timer !== undefined) this.#waiting.set(service, learnt);
  }

  drop(service: string): void {
    this.#earlier.delete(service);
    this.#waiting.delete(service);
    if (this.#timer !== undefined) this.#then(() => rm(this.#fileOf(service), { force: true }));
  }

  /** Writes what waits, and nothing more: another process may write. Safe to call again. */
  async release(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#write();
    await this.#work;
  }

  /** Writes again after `release`: the other process came to nothing. */
  resume(): void {
    this.#timer ??= this.#clock.every(WRITE_EVERY_MS, () => this.#write());
  }

  #write(): void {
    const waiting = this.#waiting;
    if (waiting.size === 0) return;
    this.#waiting = new Map();
    this.#then(async () => {
      await mkdir(this.#directory, { mode: 0o700 }).catch(() => undefined);
      // All take from the same, so that one slow file keeps no other from being written.
      const entries = waiting.entries();
      const writers = await Promise.allSettled(Array.from({ length: AT_ONCE }, () => this.#writeAll(entries)));
      for (const writer of writers) if (writer.status === 'rejected') throw writer.reason;
      this.#isFailing = false;
    });
  }

  async #writeAll(entries: Iterable<[string, T]>): Promise<void> {
    for (const [service, learnt] of entries) {
      const moment = { now: this.#clock.now(), wall: this.#clock.wall() };
      await writeWhole(this.#fileOf(service), this.#form.encode(learnt, moment));
    }
  }

  /** One after the other, so that nothing removed is written again. A failure is told once, until all is well again. */
  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work).catch((error: unknown) => {
      if (!this.#isFailing)
        this.#logger.error(
          { err: error },
          `what ${this.#form.whose} has learnt cannot be kept over a restart: ${fileFault(error)}`,
        );
      this.#isFailing = true;
    });
  }

  #kept(): string[] {
    try {
      const files = readdirSync(this.#directory);
      // Whoever was killed while it wrote left a part behind.
      for (const name of files)
        if (name.endsWith(`${ENDING}.new`)) rmSync(join(this.#directory, name), { force: true });
      return files.filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#logger.warn(
          { err: error },
          `what ${this.#form.whose} has learnt before cannot be read: ${fileFault(error)}`,
        );
      return [];
    }
  }

  #read(file: string): T | string {
    try {
      if (statSync(file).size > MAX_BYTES) return 'it is too large';
      return this.#form.decode(readFileSync(file, 'utf8'), { now: this.#clock.now(), wall: this.#clock.wall() });
    } catch (error) {
      return `it cannot be read (${fileFault(error)})`;
    }
  }

  #fileOf(service: string): string {
    return join(this.#directory, `${service}${ENDING}`);
  }
}
