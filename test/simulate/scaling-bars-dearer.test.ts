import { holdBars } from './hold-bars.ts';

/** Requests that become dearer: an hour of many, in a file of its own. */
holdBars([{ load: '1 ms at 300 rps, then 20 ms at 130' }]);
