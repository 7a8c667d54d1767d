/** Over which time to first byte a service counts as slow. */
export interface LatencyThreshold {
  aboveMs: number;
  /** Of which quantile, 0 to 1. */
  quantile: number;
  /** `configured`; or, with `above: auto`: `first` until anything is known, `learnt` from the latency at low load. */
  source: 'configured' | 'first' | 'learnt';
  /** That quantile at low load, ms; null where nothing was learnt. */
  lowLoadMs: number | null;
  /** So many more requests of low load until something is known; null where nothing is waited for. */
  missing: number | null;
}
