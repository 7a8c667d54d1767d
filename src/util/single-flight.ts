/** Joins concurrent calls for the same key into one run; all callers get its outcome. */
export class SingleFlight<Key, Value> {
  readonly #running = new Map<Key, Promise<Value>>();

  run(key: Key, task: () => Promise<Value>): Promise<Value> {
    const running = this.#running.get(key);
    if (running !== undefined) return running;
    const started = task().finally(() => this.#running.delete(key));
    this.#running.set(key, started);
    return started;
  }

  /** Whether a run for the key is under way. */
  has(key: Key): boolean {
    return this.#running.has(key);
  }
}
