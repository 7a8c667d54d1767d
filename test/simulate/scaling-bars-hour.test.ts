import { holdBars } from './hold-bars.ts';

/** An hour at 87 % of what three can do: it takes as long as ten of the others. */
holdBars([{ load: '130 rps for an hour' }]);
