/** When an idle service has a replica, in ms since its last activity: [0, keep) and [prewarm, until). */
export interface KeepPlan {
  keepMs: number;
  /** Infinite: it is not started before it is asked for. */
  prewarmMs: number;
  untilMs: number;
}

/** Decides for one service. */
export interface KeepPolicy {
  /** What to do from now on, as the service has just become idle. @param now ms */
  plan(now: number): KeepPlan;
  /** It was idle for so long, ms. @param now when the next call came */
  idled(gapMs: number, now: number): void;
  /** A wake is over. @param startMs what the start took; `waitMs`: what all that waited for it waited together */
  woken(startMs: number, waitMs: number): void;
  stopped(stopMs: number): void;
}

/** A policy by name; every service gets one of its own, which may learn from the others. */
export interface NamedPolicy {
  name: string;
  create(): KeepPolicy;
}

export function keepOnly(keepMs: number): KeepPlan {
  return { keepMs, prewarmMs: Number.POSITIVE_INFINITY, untilMs: Number.POSITIVE_INFINITY };
}

/** The same time for every service, whatever comes. */
export function fixedKeep(name: string, keepMs: number): NamedPolicy {
  const plan = keepOnly(keepMs);
  const policy: KeepPolicy = { plan: () => plan, idled() {}, woken() {}, stopped() {} };
  return { name, create: () => policy };
}
