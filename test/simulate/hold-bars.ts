import { expect, test } from 'vitest';
import { simulate } from '../../src/simulate/simulate.ts';
import { bars } from './bars.ts';

/** Those of `npm run -s simulate:bars`. */
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** A load whose bars hold whatever the seed; where only one of its figures does, the name of that. */
export interface Held {
  load: string;
  figure?: string;
}

/** A test for each: its figures are within their bars under each seed. */
export function holdBars(held: readonly Held[]): void {
  test.each(held)(
    'scaling keeps within its bars, whatever the seed: $load',
    async ({ load, figure }) => {
      const bar = bars.find(({ name }) => name === load);
      const figures = bar?.figures.filter(({ name }) => figure === undefined || name === figure) ?? [];
      if (bar === undefined || figures.length === 0) throw new Error(`no such load or figure: ${load} ${figure ?? ''}`);
      for (const seed of SEEDS) {
        const { services } = await simulate(bar.scenario(seed), 'pilotlight');
        for (const { name: what, of, most } of figures)
          expect({ what, seed, isHeld: of(services) <= most }).toEqual({ what, seed, isHeld: true });
      }
    },
    300_000,
  );
}
