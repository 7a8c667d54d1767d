import { holdBars } from './hold-bars.ts';

/** Loads that more replicas do not help, or not for long. All loads: `npm run -s simulate:bars`. */
holdBars([
  { load: 'shared lock' },
  { load: 'constant 400 ms' },
  { load: 'shared database' },
  { load: 'half slow 500s' },
  { load: '3 s spike' },
  { load: '9 replicas, one is enough' },
  { load: 'constant 5 s answers' },
  { load: 'burst of 16 × 40 ms at concurrency 2' },
]);
