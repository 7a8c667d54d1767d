import type { SecondPoint, ServiceOutcome } from '../../src/simulate/outcome.ts';
import type { Check } from './scenario.ts';

const first = ([service]: readonly ServiceOutcome[]) => service as ServiceOutcome;
const sum = (services: readonly ServiceOutcome[], of: (service: ServiceOutcome) => number) =>
  services.reduce((total, service) => total + of(service), 0);

export const starts = (most: number, least = 0): Check => ({
  name: 'starts',
  least,
  most,
  of: (all) => sum(all, (service) => service.starts),
});

export const mostReplicas = (most: number, least = 0): Check => ({
  name: 'most replicas',
  least,
  most,
  of: (all) => Math.max(...all.map((service) => service.mostReplicas)),
});

export const lastReplicas = (most: number, least = 0): Check => ({
  name: 'replicas at the end',
  least,
  most,
  of: (all) => Math.max(...all.map((service) => service.lastReplicas)),
});

export const secondsOver = (most: number): Check => ({
  name: 'seconds over',
  most,
  of: (all) => sum(all, (service) => service.secondsOver),
});

/** Requests without a good answer that nobody turned away. */
export const lost = (most: number): Check => ({
  name: 'errors and lost',
  most,
  of: (all) => sum(all, ({ errors, lost: gone }) => errors + gone),
});

export const notAnswered = (most: number): Check => ({
  name: 'not answered',
  most,
  of: (all) => sum(all, ({ errors, lost: gone, shed }) => errors + gone + shed),
});

/** Seconds from a time on at whose end the quantile was over. */
export const overAfter = (second: number, most: number): Check => ({
  name: `seconds over after ${second} s`,
  most,
  of: (all) => first(all).series.filter((point) => point.second >= second && (point.p95Ms ?? 0) > point.aboveMs).length,
});

/** When so many were first in use, starting ones included. */
export const secondOf = (replicas: number, most: number): Check => ({
  name: `second at which there are ${replicas}`,
  most,
  of: (all) => first(all).series.find(({ ready, starting }) => ready + starting >= replicas)?.second ?? Number.NaN,
});

export const shedShareAfter = (second: number, most: number): Check => ({
  name: `% shed after ${second} s`,
  most,
  of: (all) => {
    const points = first(all).series.filter((point) => point.second >= second);
    const count = (of: (point: SecondPoint) => number) => points.reduce((total, point) => total + of(point), 0);
    const arrivals = count((point) => point.arrivals);
    return arrivals === 0 ? 0 : Math.round((1000 * count((point) => point.shed)) / arrivals) / 10;
  },
});

/** Voluntary decreases before a time. */
export const decreasesBefore = (second: number, most: number): Check => ({
  name: `decreases before ${second} s`,
  most,
  of: (all) => first(all).series.filter((p, i, s) => p.second < second && p.ready < (s[i - 1]?.ready ?? 0)).length,
});

/** Decisions that were told and not carried out. */
export const dryRuns = (least: number): Check => ({
  name: 'decisions told only',
  least,
  most: Number.POSITIVE_INFINITY,
  of: (all) => first(all).decisions.filter(({ dryRun, action }) => dryRun && action !== 'none').length,
});
