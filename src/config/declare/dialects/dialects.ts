import type { Dialect } from './dialect.ts';
import { fabio } from './fabio.ts';
import { sablier } from './sablier.ts';
import { traefik } from './traefik.ts';

/** All that are understood. */
export const dialects: readonly Dialect[] = [fabio, traefik, sablier];

/** Those of these names. */
export function dialectsOf(names: readonly string[]): Dialect[] {
  return dialects.filter(({ name }) => names.includes(name));
}
