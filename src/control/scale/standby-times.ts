import type { IdleCost } from '../../model/idle.ts';
import { costsOf, gapsToGoBy, isKnown, LEAST_KEEP_MS, MOST_KEEP_MS } from './idle-choice.ts';
import type { IdleLearnt } from './idle-learnt.ts';
import type { SiblingGaps } from './sibling-gaps.ts';
import {
  cheapestStandby,
  costOfStandby,
  type StandbyCosts,
  type StandbyTimes,
  skiRentalStandby,
} from './standby-cost.ts';

/** Until a paused replica is ready again, before that was seen, ms. */
const UNKNOWN_RESUME_MS = 100;
/** A new value counts for so much of what is remembered. */
const NEWEST = 0.2;
/** It is worked out anew when so much of all gaps are new, or a time differs by so much. */
const NEWS = 0.01;

/** What the times of one service are chosen by, beside what was learnt. */
export interface StandbyOrder {
  /** `paused`: what is paused is never stopped. */
  standby: 'auto' | 'paused';
  /** As configured, where that is a time. */
  fixedKeepMs: number | undefined;
  weight: number;
  pausedCost: number;
}

/** How long one service is kept ready and paused, by what it has learnt so far. */
export class ServiceStandby {
  #resumeMs: number | undefined;
  #resumeWaitMs: number | undefined;
  #times: StandbyTimes = { keepMs: 0, pausedMs: 0 };
  /** What they were worked out from. */
  #basis = '';
  readonly #siblings: SiblingGaps;

  /**
   * @param siblings what is known of all services
   * @param other what that has learnt holds for this one too
   */
  constructor(siblings: SiblingGaps, other?: ServiceStandby) {
    this.#siblings = siblings;
    this.#resumeMs = other?.resumeMs;
    this.#resumeWaitMs = other?.resumeWaitMs;
  }

  /** What a resume takes, ms; undefined until one was seen. */
  get resumeMs(): number | undefined {
    return this.#resumeMs;
  }

  /** What all wait for one together, ms; undefined until that was seen. */
  get resumeWaitMs(): number | undefined {
    return this.#resumeWaitMs;
  }

  /** A paused replica was ready again after so long, ms. */
  resumed(ms: number): void {
    this.#resumeMs = mixed(this.#resumeMs, ms);
  }

  /** All that waited for one resume waited so long together, ms. */
  waited(ms: number): void {
    this.#resumeWaitMs = mixed(this.#resumeWaitMs, ms);
  }

  times(learnt: IdleLearnt, order: StandbyOrder): StandbyTimes {
    const costs = this.#costs(learnt, order);
    const step = Math.max(1, learnt.gaps.total * NEWS);
    const rounded = [costs.startMs, costs.stopMs, costs.waitMs, costs.resumeMs, costs.resumeWaitMs].map(roughly);
    const known = [isKnown(learnt), this.#siblings.known(learnt.gaps) > 0];
    const basis = JSON.stringify([Math.floor(learnt.gaps.version / step), known, rounded, order]);
    if (basis === this.#basis) return this.#times;
    this.#basis = basis;
    const counts = gapsToGoBy(learnt, costs, this.#siblings);
    const { standby, fixedKeepMs } = order;
    const options = { fixedKeepMs, neverStops: standby === 'paused' };
    const { keepMs, pausedMs } =
      counts === undefined ? skiRentalStandby(costs, options) : cheapestStandby(counts, costs, options);
    this.#times = {
      keepMs: fixedKeepMs ?? Math.min(MOST_KEEP_MS, Math.max(LEAST_KEEP_MS, Math.ceil(keepMs))),
      pausedMs: Number.isFinite(pausedMs) ? Math.min(MOST_KEEP_MS, Math.ceil(pausedMs)) : pausedMs,
    };
    return this.#times;
  }

  /** What the times that are chosen would have cost; undefined while too little is known. */
  expected(learnt: IdleLearnt, order: StandbyOrder): IdleCost | undefined {
    if (!isKnown(learnt)) return undefined;
    const { idleCostMs, wakeCostMs, wakes } = costOfStandby(
      learnt.gaps,
      this.#costs(learnt, order),
      this.times(learnt, order),
    );
    return { idleMs: Math.round(idleCostMs), wakesMs: Math.round(wakeCostMs), wakes };
  }

  #costs(learnt: IdleLearnt, { weight, pausedCost }: StandbyOrder): StandbyCosts {
    const resumeMs = this.#resumeMs ?? UNKNOWN_RESUME_MS;
    const resumeWaitMs = this.#resumeWaitMs ?? resumeMs;
    return { ...costsOf(learnt, weight), resumeMs, resumeWaitMs, pausedCost };
  }
}

function mixed(before: number | undefined, ms: number): number {
  return before === undefined ? ms : before + NEWEST * (ms - before);
}

/** The same number for times that differ by little. */
function roughly(ms: number): number {
  return Math.round(Math.log(Math.max(1, ms)) / NEWS);
}
