import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { isIncluded } from '../config/load/included.ts';
import type { Clock, Timer } from '../util/clock.ts';

/** What comes within this is one change, ms: an editor writes, renames and removes. */
const TOGETHER_MS = 100;
/** What Kubernetes exchanges when a mounted ConfigMap changes: its files lead through it and stay as they are. */
const MOUNTED = '..data';

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
    // What waits to be told stays: it may have come after the files were read.
    this.#unwatch();
    this.#watched = watched;
    for (const folder of new Set(patterns.map((pattern) => dirname(pattern)))) {
      const ours = patterns.filter((pattern) => dirname(pattern) === folder);
      try {
        const watcher = watch(folder, { persistent: false }, (_, name) => {
          // By its own name: the folder is gone, or is about to be another one.
          const isItself = name === basename(folder);
          if (isItself) this.#watched = '';
          const isOurs = name === null || name === MOUNTED || ours.some((pattern) => isIncluded(pattern, name));
          if (isItself || isOurs) this.#soon();
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
    this.#unwatch();
  }

  #unwatch(): void {
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #soon(): void {
    this.#timer?.cancel();
    this.#timer = this.#clock.after(TOGETHER_MS, this.#onChange);
  }
}
