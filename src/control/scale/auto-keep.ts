import { APART_MS, type ExpectedCall } from './arrival-forecast.ts';
import { autoKeepMs, besideKeepMs, costsOf, LEAST_KEEP_MS } from './idle-choice.ts';
import { costOfGap, wakeCostMs } from './idle-cost.ts';
import { GAP_BUCKETS, gapBucket } from './idle-gaps.ts';
import { type IdleFigure, type IdleLearnt, nothingLearnt } from './idle-learnt.ts';
import type { SiblingGaps } from './sibling-gaps.ts';

/** A new value counts for so much of what is remembered. */
const NEWEST = 0.2;
/** It is worked out anew when so much of all gaps are new, or a time differs by so much. */
const NEWS = 0.01;
/** Of what a replica takes less than it did before, so much is believed each time: half of it in a quarter of an hour. */
const LESS_MEMORY = 0.01;
/** Memory is written down again when it differs by so much. */
const MEMORY_NEWS = 0.05;

/** What something was worked out from. */
interface Basis {
  /** Of the gaps. */
  version: number;
  drift: number;
  weight: number;
  other: number;
}
const NOTHING: Basis = { version: 0, drift: 0, weight: Number.NaN, other: 0 };

/** What becomes of a service that has been idle since a moment. */
export interface IdlePlan {
  /** How long it is kept, ms. */
  keepMs: number;
  /** When it has a replica again, ahead of a call; undefined: not before it is asked for. */
  expected: ExpectedCall | undefined;
}

/** How long one service is kept with `idle: auto`, and when it is started ahead of a call, by what it has learnt so far. */
export class AutoKeep {
  readonly learnt: IdleLearnt;
  readonly #siblings: SiblingGaps | undefined;
  #keepMs = 0;
  #keepBasis = NOTHING;
  /** How long it is kept where the expected call need not be waited for. */
  #besideMs = 0;
  #besideBasis = NOTHING;
  /** Between which lengths of the next gap that call is expected, ms. */
  #foreseen = { from: 0, until: 0 };
  /** By how much the times have changed in all, as a share. */
  #drift = 0;
  /** Memory when that was news, MiB. */
  #toldMiB = 0;

  /**
   * @param siblings what is known of all services, to go by and to add to; undefined: it is on its own
   * @param learnt what was known before
   */
  constructor(siblings: SiblingGaps | undefined, learnt: IdleLearnt = nothingLearnt()) {
    this.#siblings = siblings;
    this.learnt = learnt;
  }

  /**
   * How long it is kept, ms, where no call is expected.
   * @param weight seconds of an idle replica that one second of a waiting user is worth
   * @param raise by how many times its wakes must get fewer
   */
  keepMs(weight: number, raise = 1): number {
    if (this.#isNews(this.#keepBasis, weight, raise)) {
      this.#keepMs = autoKeepMs(this.learnt, weight, this.#siblings, raise);
      this.#keepBasis = this.#basis(weight, raise);
    }
    return this.#keepMs;
  }

  /**
   * What becomes of it while it is idle.
   * @param since end of the last activity, the clock's ms
   * @param raise as for `keepMs`; over 1 there are no starts that nobody waits for
   */
  plan(since: number, weight: number, raise = 1): IdlePlan {
    const { forecast } = this.learnt;
    const expected = raise > 1 || !forecast.isTrusted ? undefined : this.#apart(since, weight);
    return expected === undefined
      ? { keepMs: this.keepMs(weight, raise), expected }
      : { keepMs: this.#besideKeepMs(weight), expected };
  }

  /**
   * It was idle, and is no more.
   * @param at when the next activity began, the clock's ms
   * @param isMissed that was expected, and acted on, and still it was waited for
   */
  idled(gapMs: number, count: number, at: number, weight: number, isMissed = false): void {
    const { forecast } = this.learnt;
    this.#judgeEarly(gapMs, count, at, weight);
    if (gapMs < APART_MS) {
      this.#add(gapMs, count);
      return;
    }
    const costs = costsOf(this.learnt, weight);
    this.#judge(gapMs, at, weight, isMissed);
    this.#add(gapMs, count);
    forecast.began(at, costs);
    const { expected } = forecast;
    if (expected === undefined) return;
    // What an activity takes before the idle time begins is as short as the last one was.
    const activeMs = Math.max(0, (forecast.intervals.at(-1) ?? 0) - gapMs);
    this.#foreseen = { from: expected.fromAt - at - activeMs, until: expected.untilAt - at - activeMs };
  }

  /** What was seen once more: a start, a stop, a resume, or what all waited together for one wake; ms. */
  saw(what: Exclude<IdleFigure, 'memoryMiB'>, ms: number): void {
    const before = this.learnt[what];
    const after = before === undefined ? ms : before + NEWEST * (ms - before);
    this.learnt[what] = after;
    this.#drift += before === undefined ? 1 : Math.abs(after - before) / Math.max(before, 1);
  }

  /** @param other than the gaps, the times and the weight */
  #basis(weight: number, other: number): Basis {
    return { version: this.learnt.gaps.version, drift: this.#drift, weight, other };
  }

  #isNews({ version, drift, weight, other }: Basis, weightNow: number, otherNow: number): boolean {
    const { gaps } = this.learnt;
    if (weight !== weightNow || other !== otherNow) return true;
    return this.#drift - drift >= NEWS || gaps.version - version > gaps.total * NEWS;
  }

  #add(gapMs: number, count: number): void {
    const { gaps } = this.learnt;
    this.#siblings?.add(gaps, gapMs, count);
    gaps.add(gapMs, count);
  }

  /**
   * A replica takes so much memory: what one needs is the most that was seen, and less only slowly.
   * @returns whether that is news
   */
  sawMemory(memoryMiB: number): boolean {
    const { memoryMiB: before } = this.learnt;
    const isMore = before === undefined || memoryMiB > before;
    this.learnt.memoryMiB = isMore ? memoryMiB : before + LESS_MEMORY * (memoryMiB - before);
    const isNews = Math.abs(this.learnt.memoryMiB - this.#toldMiB) > MEMORY_NEWS * this.#toldMiB;
    if (isNews) this.#toldMiB = this.learnt.memoryMiB;
    return isNews;
  }

  /** Another `run` takes another amount of it. */
  forgetMemory(): void {
    this.learnt.memoryMiB = undefined;
  }

  /** What is expected, where it sleeps before that: for longer than a stop and a start take, or it is not worth either. */
  #apart(since: number, weight: number): ExpectedCall | undefined {
    const { expected } = this.learnt.forecast;
    if (expected === undefined) return undefined;
    const { startMs, stopMs } = costsOf(this.learnt, weight);
    return expected.fromAt - since > this.#besideKeepMs(weight) + stopMs + startMs ? expected : undefined;
  }

  #besideKeepMs(weight: number): number {
    const { from, until } = this.#foreseen;
    // Of the same buckets it is the same.
    const buckets = gapBucket(from) * GAP_BUCKETS + gapBucket(until);
    if (this.#isNews(this.#besideBasis, weight, buckets)) {
      this.#besideMs = besideKeepMs(this.learnt, weight, from, until);
      this.#besideBasis = this.#basis(weight, buckets);
    }
    return this.#besideMs;
  }

  /** A call came before the time at which one was expected: it may find the service asleep for that. */
  #judgeEarly(gapMs: number, count: number, at: number, weight: number): void {
    const { forecast } = this.learnt;
    if (gapMs <= LEAST_KEEP_MS || forecast.expected === undefined || at > forecast.expected.fromAt) return;
    if (this.#apart(at - gapMs, weight) === undefined) return;
    const costs = costsOf(this.learnt, weight);
    const without = costOfGap(gapMs, costs, this.keepMs(weight));
    forecast.add(count * (without - costOfGap(gapMs, costs, this.#besideKeepMs(weight))));
  }

  #judge(gapMs: number, at: number, weight: number, isMissed: boolean): void {
    const since = at - gapMs;
    const fromAt = this.learnt.forecast.expected?.fromAt ?? at;
    const expected = at <= fromAt ? undefined : this.#apart(since, weight);
    if (expected === undefined) return;
    const costs = costsOf(this.learnt, weight);
    const window = { fromMs: expected.fromAt - since, untilMs: expected.untilAt - since };
    const without = costOfGap(gapMs, costs, this.keepMs(weight));
    const withIt = costOfGap(gapMs, costs, this.#besideKeepMs(weight), window);
    const missed = isMissed && at <= expected.untilAt;
    this.learnt.forecast.judge(at <= expected.untilAt && !missed, without - withIt - (missed ? wakeCostMs(costs) : 0));
  }
}
