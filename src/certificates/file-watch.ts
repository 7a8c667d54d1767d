import type { Clock, Timer } from '../util/clock.ts';

/** The files are looked at this often, ms; less often where a look would take more than a hundredth of the time. */
const LOOK_MS = 5000;
const LONGEST_LOOK_MS = 60_000;
const LOOK_SHARE = 100;
/** Files that changed are read when they have been the same for so long, ms: a pair is written one file after the other. */
const SETTLE_MS = 1000;

interface FileWatchOptions {
  clock: Clock;
  /** A text that differs when one of the files does. */
  signature: () => Promise<string>;
  /** Told after each look. @param changed the files differ from those of the last look, and have settled */
  onLook: (changed: boolean) => void;
}

/** Looks at files again and again. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #signature = '';
  #timer: Timer | undefined;
  /** Whether the next look is waited for, and none is on its way. */
  #waits = false;
  /** Counts what ends a look that is on its way. */
  #turn = 0;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** What is in use was read when the files had this signature. */
  seen(signature: string): void {
    this.#signature = signature;
  }

  /** Looks from now on, or goes on with other files, at which it looks when it would have anyhow. */
  follow(): void {
    if (this.#waits) return;
    this.stop();
    this.#lookIn(LOOK_MS);
  }

  stop(): void {
    this.#turn++;
    this.#waits = false;
    this.#timer?.cancel();
  }

  #lookIn(ms: number): void {
    this.#waits = true;
    this.#timer = this.#options.clock.after(ms, () => void this.#look(this.#turn));
  }

  async #look(turn: number): Promise<void> {
    const { clock, signature, onLook } = this.#options;
    this.#waits = false;
    const began = clock.now();
    const found = await signature();
    const took = clock.now() - began;
    const settled = await this.#settled(found, turn);
    if (turn !== this.#turn) return;
    const changed = settled !== this.#signature;
    this.#signature = settled;
    onLook(changed);
    if (turn === this.#turn) this.#lookIn(Math.min(LONGEST_LOOK_MS, Math.max(LOOK_MS, LOOK_SHARE * took)));
  }

  /** Waits until files that changed stay the same. @returns their signature then */
  async #settled(found: string, turn: number): Promise<string> {
    for (let last = found; ; ) {
      if (last === this.#signature || turn !== this.#turn) return last;
      await new Promise<void>((resolve) => {
        this.#timer = this.#options.clock.after(SETTLE_MS, resolve);
      });
      const next = await this.#options.signature();
      if (next === last) return next;
      last = next;
    }
  }
}
