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
  #times: StandbyTimes = { keepMs: 0, pausedMs: 0 };
  /** What they were worked out from. */
  #basis = '';
  readonly #siblings: SiblingGaps;

  /** @param siblings what is known of all services */
  constructor(siblings: SiblingGaps) {
    this.#siblings = siblings;
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
    const { resumeMs = UNKNOWN_RESUME_MS, resumeWaitMs = resumeMs } = learnt;
    return { ...costsOf(learnt, weight), resumeMs, resumeWaitMs, pausedCost };
  }
}

/** The same number for times that differ by little. */
function roughly(ms: number): number {
  return Math.round(Math.log(Math.max(1, ms)) / NEWS);
}
