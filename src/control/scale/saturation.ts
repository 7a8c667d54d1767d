import type { GuardSettings } from '../../model/settings.ts';

/** What saturation is seen by; rates per second, loads as averages. */
export interface SaturationSigns {
  /** Over which time arrivals and answers are counted, and between the two loads, ms. */
  overMs: number;
  arrivals: number;
  /** Arrivals over as long, one usual answer's time earlier. */
  dueArrivals: number;
  /** Answers of any kind, but for what was turned away: one that fails has had its turn too. */
  answers: number;
  shed: number;
  load: number;
  loadBefore: number;
  /** Load when the service was last calm. */
  calmLoad: number;
  /** Age of the oldest request without a first byte, ms. */
  oldestMs: number;
}

/** Counts differ by their square root by chance; so many times that they do not. */
const CHANCE = 2;

/**
 * Whether the service is asked for more than it can do: its answers fall behind what arrives and what is in flight
 * grows, or it turns requests away. A few requests a second saturate nothing by chance; over a longer time less tells as
 * much, by the square root.
 */
export function isSaturatedBy(signs: SaturationSigns, aboveMs: number, guards: GuardSettings): boolean {
  const seconds = signs.overMs / 1000;
  if (signs.arrivals * seconds < guards.saturatedArrivals) return false;
  if (signs.shed > guards.shed * signs.arrivals) return true;
  const part = Math.sqrt(guards.saturatedMs / signs.overMs);
  const due = signs.dueArrivals * seconds;
  const missing = due - signs.answers * seconds;
  const grown = signs.load - signs.loadBefore;
  return (
    missing > Math.max(part * (1 - guards.saturatedAnswered) * due, CHANCE * Math.sqrt(due)) &&
    signs.oldestMs > aboveMs &&
    signs.load > guards.saturatedLoad * Math.max(1, signs.calmLoad) &&
    grown >= Math.max(part * guards.saturatedGrowth * signs.arrivals * seconds, CHANCE * Math.sqrt(signs.load))
  );
}

/** Whether about as much is in flight as a few seconds before; loads as averages. */
export function isSteadyLoad(load: number, loadBefore: number): boolean {
  return Math.abs(load - loadBefore) <= Math.max(1 + 0.1 * loadBefore, CHANCE * Math.sqrt(loadBefore));
}
