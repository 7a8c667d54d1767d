import { fairShares } from '../start/fair-shares.ts';

/** Wakes are looked at over about this time, ms: it takes so long until half of one is forgotten. */
const HALF_LIFE_MS = 600_000;
const MEAN_LIFE_MS = HALF_LIFE_MS / Math.LN2;
/** Wakes may take this share of the permits: the rest is for scaling, and for wakes that come together. */
const FOR_WAKES = 0.5;
/** Shares are whole numbers, of permits in so many parts. */
const PARTS = 1_000_000;
/** Shares are worked out once in this time at most, ms. */
const FRESH_MS = 1000;

interface Use {
  /** Permit time, decayed, ms. */
  ms: number;
  at: number;
}

/** What the wakes of each service take of the permits to start, and what would be its fair share. */
export class WakeShares {
  readonly #uses = new Map<string, Use>();
  #excess = new Map<string, number>();
  #workedOutAt = Number.NEGATIVE_INFINITY;

  /** A service was woken, and its start took so long, ms. @param now the clock's ms */
  woke(service: string, startMs: number, now: number): void {
    this.#uses.set(service, { ms: usedAt(this.#uses.get(service), now) + startMs, at: now });
  }

  /** The configuration has it no more. */
  drop(service: string): void {
    this.#uses.delete(service);
    this.#excess.delete(service);
  }

  /**
   * By how many times its wakes exceed its fair share; 1 where they do not, and while there is enough for all.
   * @param permits how many starts there may be at the same time
   */
  excessOf(service: string, permits: number, now: number): number {
    if (!this.#uses.has(service)) return 1;
    if (now - this.#workedOutAt >= FRESH_MS) {
      this.#workedOutAt = now;
      this.#workOut(permits * FOR_WAKES, now);
    }
    return this.#excess.get(service) ?? 1;
  }

  #workOut(permits: number, now: number): void {
    this.#excess = new Map();
    const wants = [...this.#uses].map(([service, use]) => {
      const want = Math.ceil((usedAt(use, now) / MEAN_LIFE_MS) * PARTS);
      if (want <= 1) this.#uses.delete(service);
      return { service, want, floor: 0, keeps: 0 };
    });
    const budget = Math.floor(permits * PARTS);
    if (wants.reduce((sum, { want }) => sum + want, 0) <= budget) return;
    const shares = fairShares(budget, wants);
    for (const { service, want } of wants) {
      const share = Math.max(1, shares.get(service) ?? 1);
      if (want > share) this.#excess.set(service, want / share);
    }
  }
}

function usedAt(use: Use | undefined, now: number): number {
  return use === undefined ? 0 : use.ms * 0.5 ** ((now - use.at) / HALF_LIFE_MS);
}
