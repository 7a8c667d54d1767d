import { close, open, write } from 'node:fs';
import { open as openFile, stat } from 'node:fs/promises';
import type { AccessLog, AccessRecord, SessionRecord } from '../model/access.ts';
import { PilotlightError } from '../model/errors.ts';
import type { Logger } from '../model/observe.ts';
import type { Clock, Timer } from '../util/clock.ts';
import { faultWords } from '../util/file-errors.ts';
import { type AccessFormat, formatterOf } from './access-format.ts';
import { sessionFormatterOf } from './session-format.ts';

/** Lines are gathered for this long before they are written, ms. */
const FLUSH_MS = 100;
/** A batch that grows over this is written at once, bytes. */
const BATCH_BYTES = 64 * 1024;
/** Most that waits for a slow disk, bytes; what comes on top is dropped and counted. */
const MAX_WAITING = 4 * 1024 * 1024;
/** How often it is tried to end a line that was torn, ms. */
const MEND_MS = 1000;
/** That it goes on is said at most so often, ms: a disk may be full again and again. */
const TELL_MS = 60_000;
/** What a pipe takes whole while others write to it too: PIPE_BUF of Linux, bytes. */
const PIPE_BYTES = 4096;

const noBytes = Buffer.alloc(0);

interface FileAccessLog extends AccessLog {
  /** Lines that were lost since the beginning: the disk was full, or did not keep up. */
  readonly lost: number;
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

interface AccessLogOptions {
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
  lost = 0;
  readonly #file: string;
  /** Most bytes of one write. */
  readonly #most: number;
  readonly #format: (record: AccessRecord) => string;
  readonly #formatSession: (record: SessionRecord) => string;
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
  /** How many of the lost lines were told with the line that it goes on, and asked for by `takeLost`. */
  #lostTold = 0;
  #lostTaken = 0;
  /** Lines are being lost, which was told. */
  #failing = false;
  #toldAt = Number.NEGATIVE_INFINITY;
  #tellTimer: Timer | undefined;
  /** The last that is in the file is no whole line. */
  #torn = false;
  #onIdle: (() => void) | undefined;

  constructor({ file, format, shared = false }: AccessLogOptions, clock: Clock, logger: Logger) {
    this.#file = file;
    this.#most = shared && file === 'stdout' ? PIPE_BYTES : Number.POSITIVE_INFINITY;
    this.#format = formatterOf(format);
    this.#formatSession = sessionFormatterOf(format);
    this.#clock = clock;
    this.#logger = logger;
  }

  write(record: AccessRecord): void {
    if (this.#keepsUp()) this.#add(`${this.#format(record)}\n`);
  }

  writeSession(record: SessionRecord): void {
    if (this.#keepsUp()) this.#add(`${this.#formatSession(record)}\n`);
  }

  /** Whether there is room for one more line; else it is lost. */
  #keepsUp(): boolean {
    if (this.#waiting.length <= MAX_WAITING) return true;
    this.#lose(1, 'the access log does not keep up: lines are dropped');
    return false;
  }

  #add(line: string): void {
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

  takeLost(): number {
    const lost = this.lost - this.#lostTaken;
    this.#lostTaken = this.lost;
    return lost;
  }

  async reopen(): Promise<void> {
    if (this.#file === 'stdout') {
      this.#descriptor = 1;
      return;
    }
    const before = this.#descriptor;
    const descriptor = await new Promise<number>((resolve, reject) => {
      open(this.#file, 'a', 0o640, (error, opened) => {
        if (error === null) resolve(opened);
        else
          reject(
            new PilotlightError(
              'STATE_UNUSABLE',
              `cannot open the access log ${this.#file}: ${faultWords(error.code)}`,
              error,
            ),
          );
      });
    });
    const torn = await endsTorn(this.#file);
    this.#descriptor = descriptor;
    await this.#idle();
    this.#torn = torn;
    if (before >= 0) close(before, () => {});
  }

  async close(): Promise<void> {
    this.#tellTimer?.cancel();
    this.#flush();
    while (this.#writing > 0 || this.#isPending) {
      await this.#idle();
      this.#flush();
    }
    this.#timer?.cancel();
    this.#tellTimer?.cancel();
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
    if (this.#writing > 0) return;
    if (!this.#isPending && !this.#torn) return;
    const lines = this.#isPending ? this.#take() : noBytes;
    this.#writeOn(this.#descriptor, this.#torn ? Buffer.concat([LINE_END, lines]) : lines);
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

  /** Whole lines, or the rest of a write that went through in part: what it begins with is torn when no more does. */
  #writeOn(descriptor: number, bytes: Buffer): void {
    this.#writing++;
    write(descriptor, bytes, 0, wholeLines(bytes, this.#most), null, (error, written) => {
      this.#writing--;
      if (error !== null) {
        // Of a line whose end alone is missing nothing is lost.
        const lines = linesIn(bytes) - (bytes[0] === LINE_FEED ? 1 : 0);
        this.#lose(lines, `the access log ${this.#file} cannot be written: ${faultWords(error.code)}`);
      } else {
        if (written > 0) this.#torn = bytes[written - 1] !== LINE_FEED;
        if (written < bytes.length) {
          this.#writeOn(descriptor, bytes.subarray(written));
          return;
        }
        if (this.#failing) this.#recover();
      }
      this.#onWritten();
    });
  }

  #onWritten(): void {
    this.#onIdle?.();
    this.#onIdle = undefined;
    if (this.#waiting !== '') this.#flush();
    else if (this.#used > 0) this.#timer ??= this.#clock.after(FLUSH_MS, () => this.#flush());
    // Another process that shares the file knows nothing of the torn line.
    else if (this.#torn) this.#timer ??= this.#clock.after(MEND_MS, () => this.#flush());
  }

  #lose(lines: number, line: string): void {
    this.lost += lines;
    if (this.#failing) return;
    this.#failing = true;
    // What follows within a minute is told with the line that it goes on.
    if (this.#tellTimer === undefined) this.#logger.warn({ file: this.#file }, line);
  }

  /** Lines go through again. */
  #recover(): void {
    this.#failing = false;
    const wait = this.#toldAt + TELL_MS - this.#clock.now();
    if (wait <= 0) this.#tellRecovery();
    else this.#tellTimer ??= this.#clock.after(wait, () => this.#tellRecovery());
  }

  #tellRecovery(): void {
    this.#tellTimer = undefined;
    if (this.#failing) return;
    this.#toldAt = this.#clock.now();
    const lost = this.lost - this.#lostTold;
    this.#lostTold = this.lost;
    this.#logger.warn({ file: this.#file, lost }, `the access log goes on; lines lost: ${lost}`);
  }
}

const LINE_FEED = 10;
const LINE_END = Buffer.from('\n');

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

/** Whether a file ends within a line: the disk was full, or the process killed, when it was written. */
async function endsTorn(path: string): Promise<boolean> {
  try {
    const { size } = await stat(path).then((found) => (found.isFile() ? found : { size: 0 }));
    if (size === 0) return false;
    const file = await openFile(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
      return bytesRead === 1 && buffer[0] !== LINE_FEED;
    } finally {
      await file.close();
    }
  } catch {
    // It can be written and not read, then.
    return false;
  }
}

/** How many of the bytes are whole lines that together are at most `most`; the first line in any case. */
function wholeLines(bytes: Buffer, most: number): number {
  if (bytes.length <= most) return bytes.length;
  const last = bytes.lastIndexOf(10, most - 1);
  return (last >= 0 ? last : bytes.indexOf(10)) + 1;
}
