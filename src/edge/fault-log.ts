/** The same is said of one endpoint again after this time, ms. */
const TELL_AGAIN_MS = 60_000;

/**
 * What was wrong with the answers of one endpoint: each kind of fault is told at once, and then once a minute with how
 * often it occurred. The kinds are few (`http1/faults.ts`), so this is bounded.
 */
export class FaultLog {
  readonly #told = new Map<string, { at: number; since: number }>();

  /**
   * Takes note of a fault.
   * @param now the clock's ms
   * @returns how often it occurred since it was last told, this time included; 0: it is not to be told now
   */
  note(fault: string, now: number): number {
    const told = this.#told.get(fault);
    if (told !== undefined && now - told.at < TELL_AGAIN_MS) {
      told.since++;
      return 0;
    }
    this.#told.set(fault, { at: now, since: 0 });
    return (told?.since ?? 0) + 1;
  }
}
