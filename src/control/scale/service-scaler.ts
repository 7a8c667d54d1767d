import type { ServiceSettings } from '../../model/settings.ts';
import type { Clock } from '../../util/clock.ts';
import type { Telemetry } from '../link/telemetry.ts';
import { RATE_PERIOD_MS } from '../link/window.ts';
import type { ScaleInputs } from './scale-inputs.ts';
import {
  afterChange,
  afterChangeByHand,
  decideScale,
  newScaler,
  observe,
  type ScaleOutcome,
  type ScalerState,
  type ScaleSample,
  scaleInputs,
  sustainedRate,
} from './scaler.ts';

/** What a number of replicas carries with ease is looked at over this long, ms: two reports. */
const LATELY_MS = 2000;

/** The service as the scaler finds it; replica counts include endpoints that others run. */
export interface ScaledService {
  ready: number;
  starting: number;
  warming: number;
  /** Endpoints that others run. */
  external: number;
  /** Since when at least one endpoint has been ready, the clock's ms. */
  awakeSince: number;
  budgetLeft: number;
  startsAllowed: number;
}

/** A decision with what it rests on. */
export interface ScaleDecision {
  outcome: ScaleOutcome;
  inputs: ScaleInputs;
}

/** Measures one service and decides on its replica count; the decisions themselves are pure. */
export class ServiceScaler {
  readonly #clock: Clock;
  readonly #telemetry: Telemetry;
  readonly #settings: () => ServiceSettings;
  #state: ScalerState;

  constructor(clock: Clock, telemetry: Telemetry, settings: () => ServiceSettings) {
    this.#clock = clock;
    this.#telemetry = telemetry;
    this.#settings = settings;
    this.#state = newScaler(settings().scale, clock.now());
  }

  /** Completions per second that one replica sustained; undefined while unknown. */
  get sustained(): number | undefined {
    return sustainedRate(this.#state, this.#settings().scale.guards, this.#clock.now());
  }

  /** Once a second, with fresh reports: looks at latency and concurrency. */
  tick(service: ScaledService): ScaleDecision {
    const sample = this.#sample(service, true);
    this.#state = observe(this.#state, sample, this.#settings().scale, this.#clock.now());
    return this.#decide(sample);
  }

  /** A request waits for a slot: looks at concurrency only. */
  hurry(service: ScaledService): ScaleDecision {
    return this.#decide(this.#sample(service, false));
  }

  /** The decision is carried out. */
  carriedOut({ outcome, inputs }: ScaleDecision): void {
    this.#state = afterChange(this.#state, outcome, inputs, this.#settings().scale, this.#clock.now());
  }

  changedByHand(): void {
    this.#state = afterChangeByHand(this.#state, this.#settings().scale, this.#clock.now());
  }

  /** Another `run`: what replicas of the old one sustained says nothing. */
  forgetSustained(): void {
    this.#state = { ...this.#state, sustained: undefined, eased: [], overTicks: 0 };
  }

  #decide(sample: ScaleSample): ScaleDecision {
    const inputs = scaleInputs(this.#state, sample, this.#settings().scale, this.#clock.now());
    return { outcome: decideScale(inputs), inputs };
  }

  #sample(service: ScaledService, tick: boolean): ScaleSample {
    const now = this.#clock.now();
    const { window, waiting, active: inFlight, held } = this.#telemetry;
    const { min, max, latency, guards } = this.#settings().scale;
    const { external, awakeSince, ...counts } = service;
    const view = window.latency(now, {
      windowMs: latency.windowMs,
      maxWindowMs: guards.maxWindowMs,
      minSamples: guards.minSamples,
      quantile: latency.quantile,
      waiting,
      aboveMs: latency.aboveMs,
    });
    const rates = window.rates(now, RATE_PERIOD_MS);
    const lately = window.rates(now, LATELY_MS);
    const peaks = window.peaks(now, Math.max(awakeSince, now - guards.downWindowMs));
    return {
      ...counts,
      tick,
      min: Math.max(1, min) + external,
      max: max + external,
      inFlight,
      held,
      samples: view.samples,
      quantileMs: view.quantileMs,
      windowMs: view.spanMs,
      windowArrivals: view.arrivals,
      windowCompletions: view.completions,
      arrivalsPerSecond: rates.arrivals,
      completionsPerSecond: rates.completions,
      servedBy: rates.ready,
      lately: { completionsPerSecond: lately.completions, servedBy: lately.ready },
      downCoveredMs: now - awakeSince,
      peakArrivalsPerSecond: peaks.arrivals,
      peakRequests: peaks.requests,
    };
  }
}
