import type { MemoryFacts } from '../start/memory-budget.ts';
import type { BudgetFacts } from '../start/replica-budget.ts';
import { surely } from './evidence.ts';

/**
 * What scaling decides on: plain numbers, which the journal keeps and from which the decision can be made again. Names
 * end in their units: `…Ms` durations and ages, `…PerSecond` rates, `…Share` from 0 to 1; flags are 0 or 1.
 */
export interface ScaleInputs extends BudgetFacts, MemoryFacts {
  /** An operator has frozen it: nothing changes. */
  frozen: number;
  ready: number;
  starting: number;
  min: number;
  max: number;
  /** Replicas that the budget of all services still allows this one. */
  budgetLeft: number;
  concurrency: number;

  samples: number;
  minSamples: number;
  windowMs: number;
  quantile: number;
  quantileMs?: number;
  /** The same over the last few seconds; absent with too few samples. */
  lateQuantileMs?: number;
  /** The threshold in force. */
  aboveMs: number;
  /** … where it was learnt: the quantile at low load. */
  lowLoadMs?: number;
  /** Ticks in a row with the quantile over the threshold, this one included. */
  overTicks: number;
  /** … with the service saturated. */
  saturatedTicks: number;
  ticks: number;

  arrivalsPerSecond: number;
  /** Arrivals over the window of the latency. */
  usualPerSecond: number;
  /** … as they will be soon, where they have grown steadily; absent where they have not. */
  soonPerSecond?: number;
  goodPerSecond: number;
  /** Arrivals over the same two seconds, or since the number of replicas changed. */
  latelyPerSecond: number;
  shedPerSecond: number;
  /** 1 for a service of TCP, which scales on its sessions alone; absent for others. */
  sessions?: number;
  /** Requests in flight or waiting for a slot, on average over 2 s. */
  load: number;
  /** Of a service of TCP: the most of them, on average over a few seconds, within `downWindowMs`. */
  peakLoad?: number;
  /** … a few seconds before. */
  loadBefore: number;
  /** Now: requests that wait for a slot. */
  queued: number;
  /** … when the service was last calm. */
  calmLoad: number;
  shedShare: number;
  errorsShare: number;

  /** Good answers per second of one replica, seen while saturated. */
  capacityPerSecond?: number;
  /** Of how many answers that is known. */
  capacityAnswers?: number;
  /** Arrivals per second of each at which fewer were too few, or their capacity; absent where more have not helped yet. */
  eachPerSecond?: number;
  /** The most good answers per second of one replica, saturated or not; absent while unknown. */
  doneEachPerSecond?: number;
  /** 1 when an increase has proved that replicas help. */
  helps: number;
  /** The fewest replicas, more than there are, that are known to carry the arrivals. */
  carriers?: number;
  utilisation: number;
  backlogMs: number;
  stepUp: number;
  stepUpEveryMs: number;
  stepDownEveryMs: number;
  sinceUpMs?: number;
  /** How long the replicas of the last increase took to be ready, ms. */
  startMs: number;
  sinceChangeMs?: number;
  cooldownLeftMs: number;

  /** 0: none; 1: an increase whose replicas are not ready yet; 2: one that is judged; 3: a decrease that is watched; 4: one that did harm. */
  trial: number;
  /** Since the increase was ready, or the decrease began, ms. */
  trialMs: number;
  trialFrom: number;
  trialTo: number;
  /** Before the trial: arrivals and good answers per second; the quantile; whether saturated. */
  beforePerSecond: number;
  beforeUsualPerSecond: number;
  beforeGoodPerSecond: number;
  /** How many times as much as by chance those differed, as a variance; absent: as by chance. */
  beforeBursts?: number;
  beforeQuantileMs: number;
  beforeLoad: number;
  beforeSaturated: number;
  /** Why there was an increase: 1 for a limit on concurrency. */
  trialConcurrency: number;
  /** The fewest replicas that answered as much when the service was saturated a while ago; `ready` where none did. */
  asGoodBefore: number;
  /** All of the new replicas are past their warm-up. */
  trialWarm: number;
  /** Good answers per second since the replicas of the trial are there, and over how long that is measured, ms. */
  trialGoodPerSecond: number;
  trialGoodMs: number;
  benefitMs: number;
  benefitSamples: number;
  noBenefitMs: number;
  benefitPatienceMs: number;
  benefitGiveUpMs: number;
  benefitShare: number;
  benefitLeast: number;
  /** For how long no increase is made after one that did not help, ms. */
  freezeLeftMs: number;
  /** Arrivals per second that there were at that trial. */
  freezePerSecond: number;
  /** … and those at which it is lifted, where the service is saturated. */
  freezeLiftPerSecond: number;
  liftAt: number;

  /** Increases that helped by latency alone: how many, the replicas before them, and the arrivals per second then. */
  doubtIncreases: number;
  doubtFrom: number;
  doubtPerSecond: number;
  /** … and the latency before them. */
  doubtSlowMs?: number;
  /** 1 where one of them was made in an overload. */
  doubtSaturated?: number;
  /** Increases without benefit since the last that was answered with more. */
  freezes: number;

  downWindowMs: number;
  /** How much of that window there is data of, ms. */
  downCoveredMs: number;
  /** Since when the latency has been low, ms. */
  calmMs: number;
  /** Since when it has not been over the threshold, with as many replicas, ms. */
  enoughMs: number;
  surplusMs: number;
  peakPerSecond: number;
  /** … over `surplusMs`. */
  latePeakPerSecond: number;
  /** The least arrivals at which one replica fewer was not enough. */
  failedPerSecond?: number;
  downBelow: number;
  downPeak: number;
  downTrialMs: number;
  downRevertAt: number;
  /** Until the next try after a decrease that was revoked, ms. */
  downWaitMs: number;
  flapTokens: number;
  errorsLimit: number;
  shedLimit: number;

  /** Starts that the circuit lets through now; absent: any number. */
  startsAllowed?: number;
}

export type ProposalKind = 'latency' | 'shed' | 'concurrency' | 'growth' | 'undo' | 'restore' | 'down';

/** Change in replicas that something asks for. */
export interface Proposal {
  kind: ProposalKind;
  from: number;
  to: number;
  /** One line with the numbers. */
  reason: string;
}

/** Replicas that count as capacity: those that start are as good as there. */
export function capacityOf({ ready, starting }: Pick<ScaleInputs, 'ready' | 'starting'>): number {
  return ready + starting;
}

/** How many more the budgets of replicas and of memory allow; may be negative. */
export function roomIn({
  budgetLeft,
  memoryLeft = budgetLeft,
}: Pick<ScaleInputs, 'budgetLeft' | 'memoryLeft'>): number {
  return Math.min(budgetLeft, memoryLeft);
}

export function isSaturated({ saturatedTicks }: Pick<ScaleInputs, 'saturatedTicks'>): boolean {
  return saturatedTicks > 0;
}

/** Arrivals are counted over so long, ms. */
const ARRIVALS_MS = 3000;

/**
 * Arrivals per second that are there over the last three seconds and over the last two, less their standard error: what
 * clients send at once who stood still before is no greater load, and neither is chance.
 */
export function lastingArrivals({
  arrivalsPerSecond,
  latelyPerSecond,
}: Pick<ScaleInputs, 'arrivalsPerSecond' | 'latelyPerSecond'>): number {
  return surely(Math.min(arrivalsPerSecond, latelyPerSecond), ARRIVALS_MS);
}

/** A service that is saturated for so many ticks in a row is so by no chance. */
const LASTING_TICKS = 10;

/**
 * Far more is asked for than at the increase that did not help: what that has shown holds no more. Of a service that was
 * not saturated then it has shown nothing of one that is: as many requests are enough, if that lasts.
 */
export function isFarMore(
  inputs: Pick<
    ScaleInputs,
    'saturatedTicks' | 'arrivalsPerSecond' | 'latelyPerSecond' | 'freezeLiftPerSecond' | 'freezePerSecond'
  >,
): boolean {
  const { saturatedTicks, arrivalsPerSecond, latelyPerSecond, freezeLiftPerSecond, freezePerSecond } = inputs;
  const isSure = freezeLiftPerSecond <= freezePerSecond && saturatedTicks >= LASTING_TICKS;
  const arrivals = isSure ? Math.min(arrivalsPerSecond, latelyPerSecond) : lastingArrivals(inputs);
  return isSaturated(inputs) && arrivals >= freezeLiftPerSecond;
}

/** Of a service that answers less than this share of what arrives, what it answers tells nothing of what it can do. */
const COLLAPSED = 0.1;

/** Whether next to nothing is answered: as clients give up, say, while what they asked for is still worked on. */
export function isCollapsed(goodPerSecond: number, arrivalsPerSecond: number): boolean {
  return goodPerSecond < COLLAPSED * arrivalsPerSecond;
}

/** More and more is in flight or waits. */
export function isGrowing({ load, loadBefore }: Pick<ScaleInputs, 'load' | 'loadBefore'>): boolean {
  return load > 1.1 * loadBefore + 1;
}

/** More is answered than arrives, or less and less is in flight: what is slow are requests of a queue that ends soon. */
export function isDraining(
  inputs: Pick<ScaleInputs, 'latelyPerSecond' | 'goodPerSecond' | 'load' | 'loadBefore'>,
): boolean {
  const { latelyPerSecond, goodPerSecond, load, loadBefore } = inputs;
  return goodPerSecond > 1.05 * latelyPerSecond + 1 || load < 0.95 * loadBefore - 1;
}

/** What is in flight or waits beyond what is usual: a backlog. */
export function backlogOf({ load, calmLoad }: Pick<ScaleInputs, 'load' | 'calmLoad'>): number {
  return Math.max(0, load - Math.max(1, calmLoad));
}

/** A capacity that is known of few answers may be too little by so many standard errors. */
const LUCK = 3;

type Known = Pick<ScaleInputs, 'helps' | 'capacityPerSecond' | 'capacityAnswers' | 'doneEachPerSecond'>;

/**
 * Good answers per second that each replica can do, by what was learnt of it; undefined where more have not helped yet.
 * What each has done since, saturated or not, it can do; but no more of that counts than chance had left open, as it may
 * have been of cheaper requests.
 */
export function eachCanDo(known: Known): number | undefined {
  const { helps, capacityPerSecond = 0, capacityAnswers = Number.POSITIVE_INFINITY, doneEachPerSecond = 0 } = known;
  if (helps === 0 || capacityPerSecond <= 0) return undefined;
  const most = capacityPerSecond * (1 + LUCK / Math.sqrt(Math.max(1, capacityAnswers)));
  return Math.max(capacityPerSecond, Math.min(doneEachPerSecond, most));
}

/**
 * Whether more arrives than the replicas can do, by what was learnt of them and by more than chance: with latency that is
 * not low any more, that is as good as slow.
 */
export function isShort(inputs: Known & Pick<ScaleInputs, 'usualPerSecond' | 'windowMs'>, replicas: number): boolean {
  return surely(inputs.usualPerSecond, inputs.windowMs) > replicas * (eachCanDo(inputs) ?? Number.POSITIVE_INFINITY);
}
