import { FIRST_SEEDS, holdBars } from './hold-bars.ts';

/** Loads that more replicas do not help, or not for long. All loads: `npm run -s simulate:bars`. */
holdBars([
  { load: 'shared lock', seeds: FIRST_SEEDS },
  { load: 'constant 400 ms', seeds: FIRST_SEEDS },
  { load: 'shared database', seeds: FIRST_SEEDS },
  { load: 'half slow 500s', seeds: FIRST_SEEDS },
  { load: '3 s spike' },
  { load: '9 replicas, one is enough' },
  { load: 'constant 5 s answers' },
  { load: 'burst of 16 × 40 ms at concurrency 2' },
]);
