import { inTurns } from './in-turns.ts';

interface Line {
  run: ReturnType<typeof inTurns>;
  waiting: number;
}

/** Runs tasks of the same key one after the other, and those of different keys at the same time. */
export class KeyedTurns<Key> {
  readonly #lines = new Map<Key, Line>();

  async run<T>(key: Key, task: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(key) ?? { run: inTurns(), waiting: 0 };
    this.#lines.set(key, line);
    line.waiting++;
    try {
      return await line.run(task);
    } finally {
      if (--line.waiting === 0) this.#lines.delete(key);
    }
  }
}
