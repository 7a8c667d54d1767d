import type { Clock } from '../../util/clock.ts';

/** What one answer says about how soon to ask again. */
interface PaceInput {
  /** What it holds differs from the answer before. */
  changed: boolean;
  /** Its index exceeds the one that was asked with. */
  advanced: boolean;
  /** From the question to the answer, ms. */
  tookMs: number;
  /** How long the answer was allowed to take, ms. */
  waitMs: number;
  /** What receiving it and taking it over took of this process, ms. */
  costMs: number;
}

const REFILL_MS = 50;
/** Under this, an answer was given at once. */
const IMMEDIATE_MS = 100;
/** Slowest when the index moves but nothing that is followed does: Consul is merely busy. */
const BUSY_CAP_MS = 500;
/** Slowest when answers come at once although the index stands still: something is wrong with Consul. */
const BROKEN_CAP_MS = 15_000;
/** Reading answers takes at most one part in five of the time, so that big ones leave room for requests … */
const COST_SHARE = 4;
/** … but it never is deaf for longer. */
const COST_CAP_MS = 1000;

/** Spaces things out: two at once after a quiet time, then one in `refillMs`. */
export class Spacing {
  readonly #clock: Clock;
  readonly #refillMs: number;
  #tokens = 2;
  #filledAt: number;

  constructor(clock: Clock, refillMs: number) {
    this.#clock = clock;
    this.#refillMs = refillMs;
    this.#filledAt = clock.now();
  }

  /** Plans one. @returns in how many ms it may be, 0 for now */
  next(): number {
    const now = this.#clock.now();
    this.#tokens = Math.min(2, this.#tokens + (now - this.#filledAt) / this.#refillMs) - 1;
    this.#filledAt = now;
    return this.#tokens >= 0 ? 0 : -this.#tokens * this.#refillMs;
  }
}

/**
 * How long to pause between an answer and the next question. Quiet times save up for two questions without a pause;
 * then one in 50 ms, in which what changes coalesces. Answers that come at once and hold nothing new slow it down
 * twofold each.
 */
export class Pace {
  readonly #spacing: Spacing;
  #futile = 0;

  constructor(clock: Clock) {
    this.#spacing = new Spacing(clock, REFILL_MS);
  }

  /** The pause after an answer, ms. */
  after(answer: PaceInput): number {
    const futile = !answer.changed && answer.tookMs < (answer.advanced ? IMMEDIATE_MS : answer.waitMs / 2);
    this.#futile = futile ? this.#futile + 1 : 0;
    const rest = Math.min(COST_CAP_MS, answer.costMs * COST_SHARE);
    return Math.max(this.#spacing.next(), this.#slowDown(answer.advanced), rest);
  }

  /** The first such answer is common: Consul's index counts more than what we compare. */
  #slowDown(advanced: boolean): number {
    if (this.#futile < 2) return 0;
    return Math.min(advanced ? BUSY_CAP_MS : BROKEN_CAP_MS, REFILL_MS * 2 ** Math.min(20, this.#futile - 2));
  }
}
