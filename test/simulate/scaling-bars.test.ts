import { expect, test } from 'vitest';
import { simulate } from '../../src/simulate/simulate.ts';
import { bars } from './bars.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Loads whose bars hold whatever the seed. Those that do not yet are shown by `npm run -s simulate:bars`. */
const HELD = [
  'shared lock',
  'constant 400 ms',
  'shared database',
  'sine 7–117 rps, 30 min',
  'sheds at 3 × its capacity',
  '9 replicas, one is enough',
  'constant 5 s answers',
  'burst of 16 × 40 ms at concurrency 2',
];

test.each(HELD)(
  'scaling keeps within its bars, whatever the seed: %s',
  async (name) => {
    const bar = bars.find((each) => each.name === name);
    if (bar === undefined) throw new Error(`no such load: ${name}`);
    for (const seed of SEEDS) {
      const { services } = await simulate(bar.scenario(seed), 'pilotlight');
      for (const { name: what, of, most } of bar.figures)
        expect({ what, seed, isHeld: of(services) <= most }).toEqual({ what, seed, isHeld: true });
    }
  },
  180_000,
);
