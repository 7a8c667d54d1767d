import { type KeepPlan, type KeepPolicy, keepOnly, type NamedPolicy } from './keep-policy.ts';

const BIN_MS = 60_000;
/** Four hours. */
const BINS = 240;
const STANDARD: KeepPlan = keepOnly(BINS * BIN_MS);
const HEAD = 0.05;
const TAIL = 0.99;
const MARGIN = 0.1;
/** Least coefficient of variation of the bins at which they are taken for representative. */
const LEAST_CV = 2;
/** Not published: fewer idle times are not representative, and from which share out of bounds on they are too many. */
const LEAST_IDLE_TIMES = 10;
const MOST_OUT_OF_BOUNDS = 0.5;
const FORECAST_MARGIN = 0.15;
/** In place of the ARIMA model, which few services get: idle times smoothed, the last with this weight. */
const SMOOTHING = 0.3;

/** The hybrid histogram policy of "Serverless in the Wild" (Shahrad et al., ATC 2020), from its published description. */
export const hybridHistogram: NamedPolicy = { name: 'hybrid histogram', create: () => new HybridHistogram() };

class HybridHistogram implements KeepPolicy {
  readonly #bins = new Uint32Array(BINS);
  #count = 0;
  #outOfBounds = 0;
  #squares = 0;
  #forecastMs: number | undefined;

  plan(): KeepPlan {
    const all = this.#count + this.#outOfBounds;
    if (all >= LEAST_IDLE_TIMES && this.#outOfBounds / all >= MOST_OUT_OF_BOUNDS && this.#forecastMs !== undefined) {
      const forecast = this.#forecastMs;
      return {
        keepMs: 0,
        prewarmMs: forecast * (1 - FORECAST_MARGIN),
        untilMs: forecast * (1 + FORECAST_MARGIN),
      };
    }
    if (this.#count < LEAST_IDLE_TIMES || this.#variation < LEAST_CV) return STANDARD;
    const head = this.#bin(HEAD) * BIN_MS;
    const untilMs = (this.#bin(TAIL) + 1) * BIN_MS * (1 + MARGIN);
    return head === 0 ? keepOnly(untilMs) : { keepMs: 0, prewarmMs: head * (1 - MARGIN), untilMs };
  }

  idled(gapMs: number): void {
    this.#forecastMs =
      this.#forecastMs === undefined ? gapMs : this.#forecastMs + SMOOTHING * (gapMs - this.#forecastMs);
    const bin = Math.floor(gapMs / BIN_MS);
    if (bin >= BINS) {
      this.#outOfBounds++;
      return;
    }
    const before = this.#bins[bin] as number;
    this.#bins[bin] = before + 1;
    this.#squares += 2 * before + 1;
    this.#count++;
  }

  woken(): void {}

  stopped(): void {}

  /** Coefficient of variation of the bins. */
  get #variation(): number {
    const mean = this.#count / BINS;
    return Math.sqrt(Math.max(0, this.#squares / BINS - mean * mean)) / mean;
  }

  /** The bin in which the share of the idle times is reached. */
  #bin(share: number): number {
    let left = share * this.#count;
    for (let bin = 0; bin < BINS; bin++) {
      left -= this.#bins[bin] as number;
      if (left <= 0) return bin;
    }
    return BINS - 1;
  }
}
