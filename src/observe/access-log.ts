import { close, open, write } from 'node:fs';
import type { AccessLog, AccessRecord } from '../model/access.ts';
import { PilotlightError } from '../model/errors.ts';
import type { Logger } from '../model/observe.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { type AccessFormat, formatterOf } from './access-format.ts';

/** Lines are gathered for this long before they are written, ms. */
const FLUSH_MS = 100;
/** A batch that grows over this is written at once, bytes. */
const BATCH_BYTES = 64 * 1024;
/** Most that waits for a slow disk, bytes; what comes on top is dropped and counted. */
const MAX_WAITING = 4 * 1024 * 1024;
/** What a pipe takes whole while others write to it too: PIPE_BUF of Linux, bytes. */
const PIPE_BYTES = 4096;

const noBytes = Buffer.alloc(0);

export interface FileAccessLog extends AccessLog {
  /** Lines that were dropped because the disk did not keep up. */
  readonly dropped: number;
  /** Opens the file anew under its name, as after a rotation. */
  reopen(): Promise<void>;
  /** Writes what waits, and closes. */
  close(): Promise<void>;
}

/**
 * An access log that never holds a request up: lines are gathered and written by the batch, one write at a time; memory
 * is bounded.
 * @throws STATE_UNUSABLE when the file cannot be opened
 */
export async function openAccessLog(options: AccessLogOptions, clock: Clock, logger: Logger): Promise<FileAccessLog> {
  const log = new BatchedLog(options, clock, logger);
  await log.reopen();
  return log;
}

export interface AccessLogOptions {
  /** A path, or `stdout`. */
  file: string;
  format: AccessFormat;
  /**
   * Other processes write to it too: every write is whole lines, at the end of the file. To a pipe that holds for lines
   * of up to 4 KiB. Default: false.
   */
  shared?: boolean;
}

class BatchedLog implements FileAccessLog {
  dropped = 0;
  readonly #file: string;
  /** Most bytes of one write. */
  readonly #most: number;
  readonly #format: (record: AccessRecord) => string;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #descriptor = -1;
  /**
   * The batch that is being filled, in place: as a string of pieces it would be 40 small objects a line for the garbage
   * collector to carry along.
   */
  #batch = noBytes;
  #used = 0;
  /** Where the batch before is being written from, or was. */
  #other = noBytes;
  /** Lines behind the batch, while a write takes so long that it is full. */
  #waiting = '';
  #writing = 0;
  #timer: Timer | undefined;
  #told = false;
  #onIdle: (() => void) | undefined;

  constructor({ file, format, shared = false }: AccessLogOptions, clock: Clock, logger: Logger) {
    this.#file = file;
    this.#most = shared && file === 'stdout' ? PIPE_BYTES : Number.POSITIVE_INFINITY;
    this.#format = formatterOf(format);
    this.#clock = clock;
    this.#logger = logger;
  }

  write(record: AccessRecord): void {
    if (this.#waiting.length > MAX_WAITING) {
      this.dropped++;
      this.#tell('the access log does not keep up: lines are dropped');
      return;
    }
    const line = `${this.#format(record)}\n`;
    if (!this.#gather(line)) {
      this.#flush();
      if (!this.#gather(line)) this.#waiting += line;
    }
    this.#timer ??= this.#clock.after(FLUSH_MS, () => this.#flush());
  }

  /** Appends a line to the batch. @returns whether it has room, and nothing waits behind it */
  #gather(line: string): boolean {
    if (this.#batch === noBytes) this.#batch = Buffer.allocUnsafeSlow(BATCH_BYTES);
    if (this.#waiting !== '' || this.#used + line.length > BATCH_BYTES) return false;
    this.#used += this.#batch.write(line, this.#used, 'latin1');
    return true;
  }

  async reopen(): Promise<void> {
    if (this.#file === 'stdout') {
      this.#descriptor = 1;
      return;
    }
    const before = this.#descriptor;
    this.#descriptor = await new Promise<number>((resolve, reject) => {
      open(this.#file, 'a', 0o640, (error, descriptor) => {
        if (error === null) resolve(descriptor);
        else
          reject(
            new PilotlightError('STATE_UNUSABLE', `cannot open the access log ${this.#file}: ${error.code}`, error),
          );
      });
    });
    if (before < 0) return;
    await this.#idle();
    close(before, () => {});
  }

  async close(): Promise<void> {
    this.#flush();
    while (this.#writing > 0 || this.#isPending) {
      await this.#idle();
      this.#flush();
    }
    if (this.#descriptor > 2) close(this.#descriptor, () => {});
  }

  #idle(): Promise<void> {
    if (this.#writing === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const before = this.#onIdle;
      this.#onIdle = () => {
        before?.();
        resolve();
      };
    });
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#writing > 0 || !this.#isPending) return;
    this.#writeAll(this.#descriptor, this.#take());
  }

  get #isPending(): boolean {
    return this.#used > 0 || this.#waiting !== '';
  }

  /** The batch, or else what waits behind it. */
  #take(): Buffer {
    if (this.#used === 0) {
      const waiting = Buffer.from(this.#waiting, 'latin1');
      this.#waiting = '';
      return waiting;
    }
    const full = this.#batch;
    const bytes = full.subarray(0, this.#used);
    this.#batch = this.#other;
    this.#other = full;
    this.#used = 0;
    return bytes;
  }

  #writeAll(descriptor: number, bytes: Buffer): void {
    this.#writing++;
    write(descriptor, bytes, 0, wholeLines(bytes, this.#most), null, (error, written) => {
      this.#writing--;
      if (error !== null) {
        this.dropped++;
        this.#tell(`the access log cannot be written: ${error.code}`);
      } else if (written < bytes.length) {
        this.#writeAll(descriptor, bytes.subarray(written));
        return;
      }
      this.#onIdle?.();
      this.#onIdle = undefined;
      if (this.#waiting !== '') this.#flush();
      else if (this.#used > 0) this.#timer ??= this.#clock.after(FLUSH_MS, () => this.#flush());
    });
  }

  /** Once until the process ends: a log about a log must not fill up as well. */
  #tell(line: string): void {
    if (this.#told) return;
    this.#told = true;
    this.#logger.warn({ file: this.#file }, line);
  }
}

/** How many of the bytes are whole lines that together are at most `most`; the first line in any case. */
function wholeLines(bytes: Buffer, most: number): number {
  if (bytes.length <= most) return bytes.length;
  const last = bytes.lastIndexOf(10, most - 1);
  return (last >= 0 ? last : bytes.indexOf(10)) + 1;
}
