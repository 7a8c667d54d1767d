import { holdBars } from './hold-bars.ts';

/** Loads that more replicas help. */
holdBars([
  { load: 'step 10→150 rps, then 10' },
  { load: 'sine 7–117 rps, 30 min' },
  { load: '×20 step' },
  { load: 'growth 8→160 rps at 20 each' },
  { load: 'sheds at 3 × its capacity' },
  { load: 'two services, 6 replicas, 5 needed each' },
]);
