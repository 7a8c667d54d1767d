/** Constants of the scaling policy; times in ms, shares from 0 to 1. */
export interface GuardSettings {
  /** Fewest samples for a latency verdict. */
  minSamples: number;
  /** How far the window is extended while samples are too few, ms. */
  maxWindowMs: number;
  /** Ticks in a row that a proposal must stand before it is followed. */
  ticks: number;

  /** Share of arrivals answered with errors over which more replicas are no remedy. */
  errors: number;
  /** Share of arrivals that was turned away over which a service is saturated. */
  shed: number;
  /** Fewest arrivals in `saturatedMs` for a service to be saturated. */
  saturatedArrivals: number;
  /** Arrivals and answers are compared over this time, ms. */
  saturatedMs: number;
  /** Under this share of what arrived, answers fall behind. */
  saturatedAnswered: number;
  /** By this share of the arrivals the requests in flight must have grown. */
  saturatedGrowth: number;
  /** So many times their calm value they must be. */
  saturatedLoad: number;

  /** Share of its capacity that a replica is planned to carry. */
  utilisation: number;
  /** A backlog is to be worked off within this time, ms. */
  backlogMs: number;
  /** Most replicas after one step, as a multiple of those before, once replicas have proved to help. */
  stepUp: number;
  /** Least time between increases of a service that is not saturated, ms. */
  stepUpEveryMs: number;
  /** Arrivals that grow from one such time to the next, and again, will go on growing so, ms. */
  trendMs: number;
  /** Half-life of what was learnt of capacity, ms. */
  evidenceHalfLifeMs: number;
  /** How long it is remembered that so few replicas were not enough, ms. */
  failedForMs: number;

  /** An increase has helped at the earliest so long after its replicas are ready, ms. */
  benefitMs: number;
  /** … and has not helped after so many samples, or so long, ms. */
  benefitSamples: number;
  noBenefitMs: number;
  /** While a backlog grows or shrinks there is no such verdict, for so long at most, ms. */
  benefitPatienceMs: number;
  /** After so long without enough samples it is undone, ms. */
  benefitGiveUpMs: number;
  /** Share of the capacity added that answers must rise by. */
  benefitShare: number;
  /** … and the least share of the answers before. */
  benefitLeast: number;
  /** No increase for so long after one that did not help, doubled each time, ms. */
  freezeMs: number;
  freezeMaxMs: number;
  /** Saturated at so many times the arrivals of the trial lifts that. */
  liftAt: number;

  /** Least time between decreases (one replica each), ms. */
  stepDownEveryMs: number;
  /** Latency and arrivals are looked at over this time before a decrease, ms. */
  downWindowMs: number;
  /** The quantile must be under this share of `above` for a decrease. */
  downBelow: number;
  /** Peak arrivals must be under this share of those at which so few replicas were not enough. */
  downPeak: number;
  /** A decrease is watched for so long, ms. */
  downTrialMs: number;
  /** … and revoked when the quantile passes this share of `above`. */
  downRevertAt: number;
  /** So long after a revoked decrease there is another try, doubled each time, ms. */
  downRetryMs: number;
  /** After so long of calm, what is more than the capacity known and the peak of arrivals need goes, ms. */
  surplusMs: number;

  /** Increases that may follow a decrease within `flapWithinMs` in a burst; without any left, no decrease. */
  flapBurst: number;
  /** … and per hour in the long run. */
  flapPerHour: number;
  flapWithinMs: number;

  /** Age, and answers, under which a replica's latencies do not count; whichever is later, `warmUpMaxMs` at most. */
  warmUpMs: number;
  warmUpRequests: number;
  warmUpMaxMs: number;
  /** No scaling for this long after a change by hand, ms. */
  cooldownMs: number;

  /** With `above: auto` the threshold is so many times the same quantile at low load … */
  autoTimes: number;
  /** … at least this, ms … */
  autoLeastMs: number;
  /** … and this until anything is known, ms. */
  autoFirstMs: number;
  /** That quantile is taken once so many requests of low load came, and this time has passed, ms. */
  autoSamples: number;
  autoEveryMs: number;
  /** The lowest tenth of what was taken over this time counts, ms. */
  autoKeepMs: number;
}
