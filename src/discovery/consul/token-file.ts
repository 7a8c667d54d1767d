import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Logger } from '../../model/observe.ts';
import type { Clock, Timer } from '../../util/clock.ts';

interface TokenFileOptions {
  path: string;
  clock: Clock;
  logger: Logger;
}

/** How often the file is looked at, ms. */
const LOOK_EVERY_MS = 2000;
/** Longest token, characters: what is longer is another file. */
const LONGEST = 4096;
const TOKEN = /^[!-~]+$/;

/** A token that somebody else writes into a file, anew when it is rotated. */
export class TokenFile {
  readonly #options: TokenFileOptions;
  #token: string | undefined;
  #seen = '';
  #complaint = '';
  #timer: Timer | undefined;
  #onChange: () => void = () => undefined;

  /** Reads it at once; where that fails there is no token until it succeeds. */
  constructor(options: TokenFileOptions) {
    this.#options = options;
    this.#read();
    this.#lookLater();
  }

  /** The one that was read last; what is wrong with the file now does not take it away. */
  get token(): string | undefined {
    return this.#token;
  }

  /** Calls when there is another one. */
  follow(onChange: () => void): void {
    this.#onChange = onChange;
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #lookLater(): void {
    this.#timer = this.#options.clock.after(LOOK_EVERY_MS, () => void this.#look());
  }

  async #look(): Promise<void> {
    const { mtimeMs, size, ino } = await stat(this.#options.path).catch(() => ({ mtimeMs: 0, size: 0, ino: 0 }));
    if (this.#timer === undefined) return;
    const seen = [mtimeMs, size, ino].join(' ');
    // A file that was just written may be written to once more within the same tick of its clock: one look more.
    if (seen !== this.#seen || this.#options.clock.wall() - mtimeMs < 2 * LOOK_EVERY_MS) this.#read();
    this.#seen = seen;
    this.#lookLater();
  }

  #read(): void {
    const { path, logger } = this.#options;
    const before = this.#token;
    const found = readToken(path);
    if ('fault' in found) {
      const complaint = `the token for Consul in ${path} is not used: ${found.fault}`;
      if (complaint !== this.#complaint)
        logger.warn({}, before === undefined ? complaint : `${complaint}; the one before it stays in use`);
      this.#complaint = complaint;
      return;
    }
    this.#complaint = '';
    this.#token = found.token;
    if (before === undefined || before === found.token) return;
    logger.info({}, `the token for Consul was read again from ${path}`);
    this.#onChange();
  }
}

function readToken(path: string): { token: string } | { fault: string } {
  try {
    const token = readFileSync(path, 'utf8').trim();
    if (token === '') return { fault: 'the file is empty' };
    if (token.length > LONGEST || !TOKEN.test(token)) return { fault: 'expected printable ASCII without blanks' };
    return { token };
  } catch (thrown) {
    return { fault: `it cannot be read (${(thrown as NodeJS.ErrnoException).code})` };
  }
}
