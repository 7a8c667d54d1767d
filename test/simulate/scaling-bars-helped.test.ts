import { FIRST_SEEDS, holdBars } from './hold-bars.ts';

/** Loads that more replicas help. */
holdBars([
  { load: 'step 10→150 rps, then 10' },
  { load: 'sine 7–117 rps, 30 min', seeds: FIRST_SEEDS },
  { load: '×20 step' },
  // The one under which it was not kept once: an hour takes as long as ten of the others.
  { load: '130 rps for an hour', seeds: [9] },
  { load: 'growth 8→160 rps at 20 each', seeds: FIRST_SEEDS },
  { load: 'sheds at 3 × its capacity' },
  { load: 'two services, 6 replicas, 5 needed each', seeds: FIRST_SEEDS },
]);
