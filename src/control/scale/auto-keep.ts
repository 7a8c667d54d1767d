import { autoKeepMs } from './idle-choice.ts';
import { type IdleLearnt, nothingLearnt } from './idle-learnt.ts';

/** A new value counts for so much of what is remembered. */
const NEWEST = 0.2;
/** It is worked out anew when so much of all gaps are new, or a time differs by so much. */
const NEWS = 0.01;

/** How long one service is kept with `idle: auto`, by what it has learnt so far. */
export class AutoKeep {
  readonly learnt: IdleLearnt;
  #keepMs = 0;
  /** What that was worked out from, and by how much the times have changed since, as a share. */
  #version = 0;
  #drift = 1;
  #weight = 0;
  #raise = 1;

  /** @param learnt what was known before */
  constructor(learnt: IdleLearnt = nothingLearnt()) {
    this.learnt = learnt;
  }

  /**
   * How long it is kept, ms.
   * @param weight seconds of an idle replica that one second of a waiting user is worth
   * @param raise by how many times its wakes must get fewer
   */
  keepMs(weight: number, raise = 1): number {
    const { gaps } = this.learnt;
    const isNews = this.#drift >= NEWS || gaps.version - this.#version > gaps.total * NEWS;
    if (isNews || weight !== this.#weight || raise !== this.#raise) {
      this.#keepMs = autoKeepMs(this.learnt, weight, raise);
      this.#version = gaps.version;
      this.#drift = 0;
      this.#weight = weight;
      this.#raise = raise;
    }
    return this.#keepMs;
  }

  /** What was seen once more: a start, a stop, or what all waited together for one wake; ms. */
  saw(what: 'startMs' | 'stopMs' | 'waitMs', ms: number): void {
    const before = this.learnt[what];
    const after = before === undefined ? ms : before + NEWEST * (ms - before);
    this.learnt[what] = after;
    this.#drift += before === undefined ? 1 : Math.abs(after - before) / Math.max(before, 1);
  }
}
