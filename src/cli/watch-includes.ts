import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import { isIncluded } from '../config/load/included.ts';
import type { Clock, Timer } from '../util/clock.ts';

/** What comes within this is one change, ms: an editor writes, renames and removes. */
const TOGETHER_MS = 100;

/** Tells when included files come, change or go. */
export class IncludeWatch {
  readonly #clock: Clock;
  readonly #onChange: () => void;
  #watchers: FSWatcher[] = [];
  #watched = '';
  #timer: Timer | undefined;

  constructor(clock: Clock, onChange: () => void) {
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** Watches the folders of these patterns from now on, and no others. */
  follow(patterns: readonly string[]): void {
    const watched = JSON.stringify(patterns);
    if (watched === this.#watched) return;
    this.close();
    this.#watched = watched;
    for (const folder of new Set(patterns.map((pattern) => dirname(pattern)))) {
      const ours = patterns.filter((pattern) => dirname(pattern) === folder);
      try {
        const watcher = watch(folder, { persistent: false }, (_, name) => {
          if (name === null || ours.some((pattern) => isIncluded(pattern, name))) this.#soon();
        });
        watcher.on('error', () => watcher.close());
        this.#watchers.push(watcher);
      } catch {
        // A folder that is not there yet is tried again by the next reload.
        this.#watched = '';
      }
    }
  }

  close(): void {
    this.#timer?.cancel();
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #soon(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(TOGETHER_MS, this.#onChange);
  }
}
