/** What decides how many replicas a service has: the product's own control plane, or a rival. */
export type Policy = 'pilotlight' | Rival;

/** Another's policy, asked at intervals. It is made anew for every run and service, so it may keep state. */
export interface Rival {
  name: string;
  /** How often it is asked, ms. */
  everyMs: number;
  /** Makes what decides for one service. */
  create(): RivalDecider;
}

export interface RivalDecider {
  /** How many replicas it wants; held to `min` and `max` by whoever asks. */
  decide(sample: RivalSample): number;
}

/** What a rival knows of a service. Averages and rates are over the time since it was asked last. */
export interface RivalSample {
  /** Since the load began, ms. */
  nowMs: number;
  ready: number;
  starting: number;
  /** Requests in flight and waiting, on average. */
  concurrency: number;
  arrivalsPerSecond: number;
  /** Quantile that the service's settings name, of the time to first byte, over `scale.latency.window`, ms. */
  quantileMs: number | undefined;
  /** Threshold on it, ms. */
  aboveMs: number;
  min: number;
  max: number;
}
