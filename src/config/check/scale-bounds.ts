import type { ServiceConfig } from '../schema/schema.ts';

/** The default of `scale.max`. */
const DEFAULT_MAX = 4;

/** How many replicas a service may have, with the defaults that depend on its other keys. */
export function scaleBounds({ run, scale }: ServiceConfig): { min: number; max: number; initial: number } {
  const max = scale.max ?? (run?.docker?.container === undefined ? DEFAULT_MAX : 1);
  return { min: scale.min, max, initial: scale.initial ?? Math.max(1, scale.min) };
}
