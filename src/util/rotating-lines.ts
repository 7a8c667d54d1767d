import { appendFile, mkdir, rename, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, Timer } from './clock.ts';
import { faultWords } from './file-errors.ts';
import { Throttle } from './throttle.ts';

/** Where lines end up. Every call may fail with an error of the system. */
export interface LineStore {
  /** Bytes; 0 where nothing was written yet. */
  size(): Promise<number>;
  append(text: string): Promise<void>;
  /** Cuts off what is behind so many bytes. */
  cut(bytes: number): Promise<void>;
  /** Puts what was written aside, in the place of what was put aside before, and begins anew. */
  rotate(): Promise<void>;
}

/** A file of this user's, in a directory that is made where it is missing. @param aside where a full one goes */
export function fileStore(path: string, aside: string): LineStore {
  const append = (text: string) => appendFile(path, text, { mode: 0o600 });
  return {
    size: () => stat(path).then(({ size }) => size, absent(0)),
    append: (text) =>
      append(text).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
        await mkdir(dirname(path), { mode: 0o700 });
        await append(text);
      }),
    cut: (bytes) => truncate(path, bytes).catch(absent(undefined)),
    rotate: () => rename(path, aside),
  };
}

/** Stands in for what is not there; any other failure stays one. */
function absent<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (error.code === 'ENOENT') return value;
    throw error;
  };
}

interface RotatingLinesOptions {
  store: LineStore;
  /** Most bytes before it is rotated. */
  maxBytes: number;
  clock: Clock;
  /** Called at most once a minute while lines cannot be written. @param lost lines that were lost since the last call */
  onTrouble: (fault: string, lost: number) => void;
}

/** Lines are gathered for this long before they are written, ms. */
const GATHER_MS = 200;
/** How long after a failure it is tried again, ms. */
const RETRY_MS = 1000;
/** How long the last write may take, ms. */
const RELEASE_MS = 1000;
/** Most characters of one write. */
const BATCH = 64 * 1024;
/** Most characters that wait for a disk that is slow or full; then the oldest are lost. */
const MAX_WAITING = 1024 * 1024;

/**
 * Appends lines without anybody waiting for it: they are gathered and written by the batch, one write at a time. What
 * cannot be written is tried again; memory is bounded.
 */
export class RotatingLines {
  readonly #options: RotatingLinesOptions;
  readonly #throttle = new Throttle();
  #waiting: string[] = [];
  #size = 0;
  #lost = 0;
  /** What is in the store may end within a line. */
  #torn: boolean;
  #writing: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isReleased = false;

  /** @param torn whether the last line in the store has no end */
  constructor(options: RotatingLinesOptions, torn: boolean) {
    this.#options = options;
    this.#torn = torn;
  }

  /** @param line without its end, and without a line feed in it */
  append(line: string): void {
    if (this.#isReleased) return;
    this.#waiting.push(`${line}\n`);
    this.#size += line.length + 1;
    this.#bound();
    this.#soon(GATHER_MS);
  }

  /**
   * Writes what waits, or tries to for a second, and from then on nothing until `resume`: what is appended is dropped.
   */
  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    await new Promise<void>((resolve) => {
      const timer = this.#options.clock.after(RELEASE_MS, resolve);
      void this.#writeLast().then(() => {
        timer.cancel();
        resolve();
      });
    });
    this.#waiting = [];
    this.#size = 0;
  }

  /** Writes again, behind whatever somebody else wrote meanwhile. */
  resume(): void {
    this.#isReleased = false;
    this.#torn = true;
  }

  #soon(ms: number): void {
    if (this.#writing !== undefined || this.#isReleased) return;
    this.#timer ??= this.#options.clock.after(ms, () => {
      this.#timer = undefined;
      void this.#begin();
    });
  }

  async #writeLast(): Promise<void> {
    await this.#writing;
    if (this.#isReleased) await this.#begin();
  }

  /** One write at a time. */
  #begin(): Promise<void> {
    this.#writing ??= this.#write().then((done) => {
      this.#writing = undefined;
      if (this.#waiting.length > 0) this.#soon(done ? GATHER_MS : RETRY_MS);
    });
    return this.#writing;
  }

  /** @returns whether all went through */
  async #write(): Promise<boolean> {
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#append(batch.join(''));
      } catch (error) {
        this.#putBack(batch);
        this.#tell(faultWords((error as NodeJS.ErrnoException).code));
        return false;
      }
    }
    return true;
  }

  async #append(text: string): Promise<void> {
    const { store, maxBytes } = this.#options;
    let size = await store.size();
    if (size > 0 && size + Buffer.byteLength(text) > maxBytes) {
      await store.rotate();
      size = 0;
      this.#torn = false;
    }
    // An empty line is none.
    const before = this.#torn && size > 0 ? '\n' : '';
    try {
      await store.append(before + text);
      this.#torn = false;
    } catch (error) {
      // A part of it may be there: it comes again whole.
      this.#torn = true;
      await store.cut(size).catch(() => undefined);
      throw error;
    }
  }

  #take(): string[] {
    let length = 0;
    let count = 0;
    while (count < this.#waiting.length && (count === 0 || length + this.#lengthOf(count) <= BATCH)) {
      length += this.#lengthOf(count);
      count++;
    }
    this.#size -= length;
    return this.#waiting.splice(0, count);
  }

  #lengthOf(index: number): number {
    return (this.#waiting[index] as string).length;
  }

  #putBack(batch: readonly string[]): void {
    this.#waiting.unshift(...batch);
    for (const line of batch) this.#size += line.length;
    this.#bound();
  }

  #bound(): void {
    let surplus = 0;
    while (this.#size > MAX_WAITING && surplus < this.#waiting.length) {
      this.#size -= this.#lengthOf(surplus);
      surplus++;
    }
    if (surplus === 0) return;
    this.#waiting.splice(0, surplus);
    this.#lost += surplus;
    this.#tell('it does not keep up');
  }

  #tell(fault: string): void {
    const { clock, onTrouble } = this.#options;
    if (this.#throttle.note('', clock.now()) === 0) return;
    const lost = this.#lost;
    this.#lost = 0;
    onTrouble(fault, lost);
  }
}
