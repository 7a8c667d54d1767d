import type { AppModel } from '../../../src/simulate/app-model.ts';
import { type Profile, stepRates } from '../../../src/simulate/load.ts';
import { exponential } from '../../../src/simulate/service-time.ts';
import type { ScaledService } from '../scenario.ts';

/** One worker: so many requests per second in the long run. */
export const worker = (perSecond: number): AppModel => ({ serviceTime: exponential(1000 / perSecond), slots: 1 });

/** A rate from each second on. */
export const steps = (...points: [second: number, perSecond: number][]): Profile =>
  stepRates(points.map(([second, perSecond]) => ({ atMs: second * 1000, perSecond })));

export interface ServiceOptions {
  name?: string;
  /** Keys of `scale` beside those that are always given. */
  scale?: Record<string, unknown>;
  /** Keys of the service beside `scale`. */
  more?: Record<string, unknown>;
}

/** A service of one replica at least and ten at most that never sleeps, where 500 ms are too slow. */
export function serviceOf(
  app: AppModel,
  load: Profile,
  { name = 'shop', scale, more }: ServiceOptions = {},
): ScaledService {
  const always = { min: 1, max: 10, idle: 'never', latency: { above: '500ms' } };
  return { name, app, load, startMs: 1500, config: { ...more, scale: { ...always, ...scale } } };
}
