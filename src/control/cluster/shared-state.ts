import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SharedFiles } from '../../model/cluster.ts';
import { toPilotlightError } from '../../model/errors.ts';
import type { Logger } from '../../model/observe.ts';
import { type Clock, sleep, type Timer } from '../../util/clock.ts';
import { writeWhole } from '../../util/file-errors.ts';
import { inTurns } from '../../util/in-turns.ts';

/** Folders of the state directory that follow the leadership: what was learnt and decided, and what it cost. */
const FOLDERS = ['learnt', 'idle', 'siblings', 'costs', 'journal'];
/** Files beside them. */
const FILES = ['freezes.json', 'by-hand.json'];
const NAME = /^[a-z0-9][a-z0-9.-]*\.jsonl?$/;
/** How often the leader looks for what has changed, ms: it is written once a minute. */
const LOOK_EVERY_MS = 60_000;
/** How often it is looked whether all has been sent, ms. */
const SENT_EVERY_MS = 10;

interface SharedStateOptions {
  files: SharedFiles;
  /** The state directory. */
  folder: string;
  /** Whether this member leads: then its own files are the ones that count. */
  leads: () => boolean;
  clock: Clock;
  logger: Logger;
}

/** Keeps the files of whoever leads at every member, so that the next leader goes on with what the one before has learnt. */
export class SharedState {
  readonly #options: SharedStateOptions;
  /** What a file that was shipped is told from a later one by, by its path: times of files are of some milliseconds. */
  readonly #shipped = new Map<string, string>();
  readonly #inTurn = inTurns();
  #timer: Timer | undefined;
  #life = new AbortController();

  constructor(options: SharedStateOptions) {
    this.#options = options;
    options.files.onFile((path, content) => void this.#inTurn(() => this.#take(path, content)));
    this.begin();
  }

  /** Looks for changes from now on; safe to call again. */
  begin(): void {
    if (this.#life.signal.aborted) this.#life = new AbortController();
    this.#timer ??= this.#options.clock.every(LOOK_EVERY_MS, () => void this.look());
  }

  /** Ships what has changed since it was shipped, where this member leads. */
  look(): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#options.leads()) {
        this.#shipped.clear();
        return;
      }
      for (const folder of FOLDERS) await this.#shipFolder(folder);
      for (const path of FILES) await this.#ship(path);
    });
  }

  /** The same of what operators set alone, at once: they know of it, and count on it. */
  lookAtSettings(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#options.leads()) for (const path of FILES) await this.#ship(path);
    });
  }

  /** Ships what has changed; resolves when it is on its way to all members that are here. */
  async sent(): Promise<void> {
    const { files, clock } = this.#options;
    await this.look();
    while (files.isSending && !this.#life.signal.aborted)
      await sleep(clock, SENT_EVERY_MS, this.#life.signal).catch(() => undefined);
  }

  /** Resolves when all that came is in its file: this member may lead, and read it. */
  kept(): Promise<void> {
    return this.#inTurn(async () => this.#shipped.clear());
  }

  close(): void {
    this.#life.abort();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #shipFolder(folder: string): Promise<void> {
    const names = await readdir(join(this.#options.folder, folder)).catch(() => []);
    for (const name of names) if (NAME.test(name)) await this.#ship(`${folder}/${name}`);
  }

  async #ship(path: string): Promise<void> {
    const file = join(this.#options.folder, path);
    try {
      const { mtimeMs, size, ino } = await stat(file);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (this.#shipped.get(path) === version) return;
      this.#options.files.ship(path, await readFile(file));
      this.#shipped.set(path, version);
    } catch (error) {
      this.#options.logger.debug({ path, code: toPilotlightError(error).code }, 'not shipped this time');
    }
  }

  /** A path comes from another process: only what is shared is taken. */
  async #take(path: string, content: Uint8Array): Promise<void> {
    const { folder, leads, logger } = this.#options;
    const [room = '', name = '', ...rest] = path.split('/');
    const isShared = FILES.includes(path) || (rest.length === 0 && FOLDERS.includes(room) && NAME.test(name));
    if (leads() || !isShared) return;
    const file = join(folder, path);
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeWhole(file, Buffer.from(content).toString());
    } catch (error) {
      logger.warn({ path }, `what the leader has learnt cannot be kept here: ${toPilotlightError(error).message}`);
    }
  }
}
