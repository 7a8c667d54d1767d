/** The same is said again after this time, ms. */
const AGAIN_MS = 60_000;
/** Most different things that are remembered; of the one said longest ago it is forgotten how often it occurred since. */
const MAX_KEYS = 1000;

/** Lets what occurs again and again be said at once, and then once a minute with how often it occurred. */
export class Throttle {
  /** In the order in which they were said. */
  readonly #said = new Map<string, { at: number; since: number }>();

  /**
   * Takes note of something that occurred.
   * @param now the clock's ms
   * @param count how many times
   * @returns how often it occurred since it was last said, these times included; 0: it is not to be said now
   */
  note(key: string, now: number, count = 1): number {
    const said = this.#said.get(key);
    if (said !== undefined && now - said.at < AGAIN_MS) {
      said.since += count;
      return 0;
    }
    this.#said.delete(key);
    this.#said.set(key, { at: now, since: 0 });
    if (this.#said.size > MAX_KEYS) this.#said.delete(this.#said.keys().next().value as string);
    return (said?.since ?? 0) + count;
  }
}
