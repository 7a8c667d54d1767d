import type { ServiceSettings } from '../../model/settings.ts';
import type { LatencyThreshold } from '../../model/threshold.ts';
import type { Clock } from '../../util/clock.ts';
import { mergeSparse, type SparseCounts } from '../../util/histogram.ts';
import type { Telemetry } from '../link/telemetry.ts';
import type { MemoryFacts } from '../start/memory-budget.ts';
import type { BudgetFacts } from '../start/replica-budget.ts';
import { type AutoAbove, ERRORS_LESS, newAutoAbove, ofOtherRun, thresholdOf, withCalm } from './auto-above.ts';
import { type Evidence, eachManages, noEvidence, surely } from './evidence.ts';
import type { Trend } from './forecast.ts';
import { type Frozen, notFrozen } from './frozen.ts';
import { withInFlightLimit } from './in-flight-limit.ts';
import { observe } from './observe.ts';
import { isSteadyLoad } from './saturation.ts';
import type { ScaleInputs } from './scale-inputs.ts';
import {
  afterChange,
  afterChangeByHand,
  afterGivenUp,
  afterOtherRun,
  afterVerdict,
  decideScale,
  LATELY_MS,
  newScaler,
  type ScaleOutcome,
  type ScalerState,
  type ScaleSample,
  scaleInputs,
  TICK_MS,
} from './scaler.ts';
import { judgeTrial } from './trial.ts';
import type { TrialVerdict } from './trial-verdict.ts';

/** No answer of a service is waited for longer than this to see whether answers fall behind, ms. */
const LAG_MAX_MS = 60_000;

/** The service as the scaler finds it; replica counts include endpoints that others run. */
export interface ScaledService {
  frozen: boolean;
  ready: number;
  starting: number;
  /** Only those that are ready answer: none that is on its way out has requests left. */
  isAlone: boolean;
  /** All replicas are past their warm-up. */
  isWarm: boolean;
  /** Endpoints that others run. */
  external: number;
  /** Since when at least one endpoint has been ready, the clock's ms. */
  awakeSince: number;
  budgetLeft: number;
  budgetFacts: BudgetFacts & MemoryFacts;
  startsAllowed: number;
}

/** What is worth keeping over a restart. */
interface Learnings {
  evidence: Evidence;
  frozen: Frozen;
  auto: AutoAbove | undefined;
}

/** A decision with what it rests on. */
export interface ScaleDecision {
  outcome: ScaleOutcome;
  inputs: ScaleInputs;
  /** What the experiment under way has shown by now. */
  verdict: TrialVerdict;
}

/** Measures one service and decides on its replica count; the decisions themselves are pure. */
export class ServiceScaler {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #settings: () => ServiceSettings;
  #state: ScalerState;
  /** What was learnt for `above: auto`; undefined while that was never asked for. */
  #auto: AutoAbove | undefined;
  /** Endpoints at the last tick, and since when there are so many, the clock's ms. */
  #ready = 0;
  #readySince = 0;
  /** Since when only they answer, the clock's ms. */
  #aloneSince = 0;
  /** What an answer usually takes, ms; undefined while that is not known. */
  #usualMs: number | undefined;
  /** Since when about as much as now is in flight, the clock's ms. */
  #steadySince = 0;

  /** What was learnt, as it was last told. */
  #told: Learnings | undefined;

  /** @param earlier what was learnt before a restart, under the same `run` */
  constructor(clock: Clock, telemetry: Telemetry, settings: () => ServiceSettings, earlier?: Learnings) {
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#settings = settings;
    this.#state = newScaler(settings().scale, clock.now());
    this.#steadySince = clock.now();
    if (earlier !== undefined) this.#state = { ...this.#state, evidence: earlier.evidence, frozen: earlier.frozen };
    this.#auto = earlier?.auto;
  }

  /** What was learnt, where that is news since the last call. */
  takeNews(): Learnings | undefined {
    const { evidence, frozen } = this.#state;
    const told = this.#told ?? { evidence: noEvidence, frozen: notFrozen, auto: undefined };
    if (evidence === told.evidence && frozen === told.frozen && this.#auto === told.auto) return undefined;
    this.#told = { evidence, frozen, auto: this.#auto };
    return this.#told;
  }

  /** What the last increase that was judged has shown, as far as that is kept over a restart. */
  get standing(): 'untried' | 'helped' | 'refuted' {
    const { evidence, frozen } = this.#state;
    return evidence.helps ? 'helped' : frozen.count > 0 ? 'refuted' : 'untried';
  }

  get threshold(): LatencyThreshold {
    return thresholdOf(this.#settings().scale, this.#auto);
  }

  /** Requests that found their replica idle took so long to their first byte. */
  sawCalm(calm: readonly SparseCounts[]): void {
    const { guards, latency } = this.#settings().scale;
    const now = this.#clock.wall();
    const known = this.#auto?.quantile === latency.quantile ? this.#auto : newAutoAbove(latency.quantile, now);
    this.#auto = withCalm(known, calm.reduce(mergeSparse, []), guards, now);
  }

  /** Answers per second that one replica is known to manage; undefined while unknown. */
  get capacity(): number | undefined {
    return eachManages(this.#state.evidence, this.#settings().scale.guards, this.#clock.now());
  }

  /** Most requests in flight per replica while a further one is started; undefined: no such bound. */
  get inFlightLimit(): number | undefined {
    return this.#state.inFlightLimit;
  }

  /** Once a second, with fresh reports. */
  tick(service: ScaledService): ScaleDecision {
    const now = this.#clock.now();
    const { scale } = this.#settings();
    const sample = this.#sample(service, now);
    this.#state = observe(this.#state, sample, scale, now);
    const inputs = scaleInputs(this.#state, sample, scale, now);
    this.#state = withInFlightLimit(this.#state, inputs, sample.queued, this.#usualMs ?? 0);
    return { outcome: decideScale(inputs), inputs, verdict: judgeTrial(inputs) };
  }

  /**
   * The decision is taken: what was found out is remembered, and the change, if there is one.
   * @returns for how long there is no increase now, ms
   */
  carriedOut({ outcome, inputs, verdict }: ScaleDecision): number {
    const now = this.#clock.now();
    const { scale } = this.#settings();
    // What is to be undone or restored stays an experiment until it is.
    const isOver = outcome.action !== 'none' || (outcome.kind !== 'undo' && outcome.kind !== 'restore');
    if (isOver) this.#state = afterVerdict(this.#state, verdict, inputs, scale, now);
    this.#state = afterChange(this.#state, outcome, inputs, scale, now);
    return Math.max(0, this.#state.frozen.until - now);
  }

  changedByHand(): void {
    this.#state = afterChangeByHand(this.#state, this.#settings().scale, this.#clock.now());
  }

  gaveUp(): void {
    this.#state = afterGivenUp(this.#state);
  }

  /** Another `run`: what replicas of the old one did says nothing. */
  forget(): void {
    this.#state = afterOtherRun(this.#state, this.#settings().scale, this.#clock.now());
    this.#auto = this.#auto && ofOtherRun(this.#auto, this.#clock.wall());
  }

  #sample(service: ScaledService, now: number): ScaleSample {
    const { window, waiting, queued, oldestMs } = this.#telemetry;
    const { isTcp, scale } = this.#settings();
    const { min, max, latency, guards } = scale;
    const { external, awakeSince, isAlone, ...facts } = service;
    if (service.ready !== this.#ready) {
      this.#ready = service.ready;
      this.#readySince = now;
    }
    if (!isAlone || this.#aloneSince < this.#readySince) this.#aloneSince = now;
    const { aboveMs, lowLoadMs, source } = this.threshold;
    const errorsLess = source === 'configured' ? 0 : ERRORS_LESS;
    const query = { quantile: latency.quantile, errorsLess, waiting, aboveMs };
    const view = window.latency(now, {
      ...query,
      windowMs: latency.windowMs,
      maxWindowMs: guards.maxWindowMs,
      minSamples: guards.minSamples,
      since: this.#readySince,
    });
    const late = window.latency(now, {
      ...query,
      windowMs: guards.saturatedMs,
      maxWindowMs: latency.windowMs,
      minSamples: guards.minSamples,
      since: this.#readySince,
    });
    const rates = window.rates(now - guards.saturatedMs, now);
    const lately = window.rates(now - LATELY_MS, now);
    const usual = window.rates(now - latency.windowMs, now);
    const before = now - guards.saturatedMs;
    const loadBefore = window.rates(before - LATELY_MS, before).load;
    const [answersMs] = window.quantiles(now, latency.windowMs, [latency.quantile]);
    const hasSpare = service.ready > Math.max(1, min) + external;
    const lagMs = this.#lag(
      now,
      answersMs,
      oldestMs,
      isSteadyLoad(lately.load, loadBefore) && view.samples >= guards.minSamples,
    );
    const sinceChangeMs = Math.max(TICK_MS, now - this.#readySince);
    const goodSinceMs = Math.min(latency.windowMs, sinceChangeMs);
    // Answers of other numbers of replicas are no part of it.
    const sinceChange = window.rates(now - Math.min(LATELY_MS, sinceChangeMs), now);
    const downSince = Math.max(awakeSince, now - guards.downWindowMs);
    return {
      ...facts,
      isSteady: now - this.#aloneSince >= LATELY_MS,
      min: Math.max(1, min) + external,
      max: max + external,
      aboveMs,
      lowLoadMs: lowLoadMs ?? undefined,
      samples: view.samples,
      quantileMs: view.quantileMs,
      windowMs: view.spanMs,
      lateQuantileMs: late.samples >= guards.minSamples ? late.quantileMs : undefined,
      arrivals: rates.arrivals,
      dueArrivals: this.#due(now, guards.saturatedMs, lagMs),
      usualArrivals: usual.arrivals,
      usualAnswers: usual.completions - usual.shed,
      trend: this.#trend(now, awakeSince),
      answers: rates.completions - rates.shed,
      shed: rates.shed,
      errors: usual.errors,
      goodLately: sinceChange.good,
      arrivalsLately: sinceChange.arrivals,
      goodSince: window.rates(now - goodSinceMs, now).good,
      goodSinceMs,
      load: lately.load,
      loadBefore,
      longer: this.#longer(now, Math.min(latency.windowMs, now - awakeSince - lagMs), lagMs),
      oldestMs,
      usualMs: this.#usualMs,
      queued,
      downCoveredMs: now - awakeSince,
      // Only of use where there is one to spare.
      peak: hasSpare ? this.#peak(now, downSince) : 0,
      latePeak: hasSpare ? this.#peak(now, Math.max(awakeSince, now - guards.surplusMs)) : 0,
      ...(isTcp && { peakLoad: hasSpare ? window.peakLoad(now, downSince) : lately.load }),
    };
  }

  /**
   * The time that an answer takes before it can be said to be missing, ms. It is learnt while what is in flight stays the
   * same: what waits in a growing queue is no usual answer. Before that nothing is missing that came after the oldest.
   */
  #lag(now: number, answersMs: number | undefined, oldestMs: number, isSteady: boolean): number {
    if (!isSteady) this.#steadySince = now;
    const isUsual = isSteady && (this.#state.calmSince !== undefined || now - this.#steadySince >= this.#windowMs);
    if (answersMs !== undefined && isUsual) this.#usualMs = Math.min(LAG_MAX_MS, answersMs);
    return this.#usualMs ?? Math.min(LAG_MAX_MS, Math.max(oldestMs, answersMs ?? 0));
  }

  get #windowMs(): number {
    return this.#settings().scale.latency.windowMs;
  }

  /** Arrivals per second over as long as latency is judged by, less chance: the greatest of many counts is lucky. */
  #peak(now: number, since: number): number {
    return surely(this.#telemetry.window.peak(now, since, this.#windowMs), this.#windowMs);
  }

  #trend(now: number, awakeSince: number): Trend | undefined {
    const { window } = this.#telemetry;
    const { trendMs: overMs } = this.#settings().scale.guards;
    if (now - awakeSince < 3 * overMs) return undefined;
    const arrivals = (agoMs: number) => window.rates(now - agoMs - overMs, now - agoMs).arrivals;
    const lately = window.rates(now - overMs / 2, now).arrivals;
    return { earlier: arrivals(2 * overMs), before: arrivals(overMs), recent: arrivals(0), lately, overMs };
  }

  #longer(now: number, awakeMs: number, lagMs: number): ScaleSample['longer'] {
    const { window } = this.#telemetry;
    const overMs = Math.max(this.#settings().scale.guards.saturatedMs, awakeMs);
    const before = now - overMs;
    const { arrivals, completions, shed } = window.rates(before, now);
    return {
      overMs,
      arrivals,
      dueArrivals: this.#due(now, overMs, lagMs),
      answers: completions - shed,
      loadBefore: window.rates(before - LATELY_MS, before).load,
    };
  }

  /** Arrivals per second over some time, so long ago: reports come once a second, so what lies between is interpolated. */
  #due(now: number, overMs: number, lagMs: number): number {
    const { window } = this.#telemetry;
    const whole = Math.floor(lagMs / 1000) * 1000;
    const part = (lagMs - whole) / 1000;
    const arrivals = (agoMs: number) => window.rates(now - agoMs - overMs, now - agoMs).arrivals;
    return (1 - part) * arrivals(whole) + part * arrivals(whole + 1000);
  }
}
