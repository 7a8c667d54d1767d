/** What kind of caller a service has. */
export const CLASSES = ['periodic', 'poisson', 'bursty', 'rare', 'day-night', 'recorded'] as const;
export type CallerClass = (typeof CLASSES)[number];

/** One service with all calls that come to it; times in ms. */
export interface ServiceCalls {
  caller: CallerClass;
  startMs: number;
  stopMs: number;
  memoryMiB: number;
  /** When each call comes, in rising order. */
  at: Float64Array;
  /** How long the service works for each. */
  durationMs: Float64Array;
}
