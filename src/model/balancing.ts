/** How an endpoint is chosen for a request. */
export type Balance = 'least-request' | 'round-robin' | 'random' | 'hash';

/** What of a request `balance: hash` goes by. Requests that lack it go by least-request. */
export type HashOn =
  | { kind: 'client' }
  | { kind: 'path' }
  /** Name of the field, lower case. */
  | { kind: 'header'; name: string }
  /** Name of the cookie, as it is written. */
  | { kind: 'cookie'; name: string };

/** A cookie that brings a client back to the endpoint that served it first. */
export interface StickySettings {
  cookie: string;
  /** How long the client keeps it, ms; 0 = until it closes. */
  ttlMs: number;
}

/** Which endpoints are taken out for a while because of what they answer. */
export interface OutlierSettings {
  /** Failures in a row that eject an endpoint; 0 = never. */
  consecutive: number;
  /** After this time without an ejection one of those before is forgotten, ms. */
  intervalMs: number;
  /** Length of the first ejection, ms; the n-th in a row takes n times as long. */
  ejectMs: number;
  /** Longest ejection, ms. */
  maxEjectMs: number;
  /** Most of the endpoints that are ejected at a time, 0 to 0.5. */
  maxShare: number;
}

/** Why an endpoint that could get requests gets none for now. */
export type EndpointCondition = 'ejected' | 'unhealthy';

/** Checks that the proxy makes by itself. */
export interface HealthSettings {
  /** A GET whose status must lie in the range, or just a connection. */
  check:
    | { kind: 'http'; path: string; host?: string | undefined; statusMin: number; statusMax: number }
    | { kind: 'connect' };
  /** From one check to the next, ms. */
  intervalMs: number;
  /** Longest wait for the answer, ms. */
  timeoutMs: number;
  /** Successes in a row that make an unhealthy endpoint healthy. */
  rise: number;
  /** Failures in a row that make a healthy endpoint unhealthy. */
  fall: number;
}

/** How endpoints of a service are chosen, doubted and checked. What is absent is not done. */
export interface BalancingSettings {
  balance: Balance;
  /** For `hash`. */
  hashOn: HashOn;
  sticky?: StickySettings | undefined;
  outlier?: OutlierSettings;
  health?: HealthSettings | undefined;
  /** How long the share of a fresh endpoint takes to rise to its weight, ms; 0: at once. */
  slowStartMs: number;
}

/** What may be said of an endpoint beside its address. */
export interface EndpointShare {
  /** Used only when no other endpoint is usable. */
  backup?: boolean;
  /** Most requests in flight; 0 or absent: no limit. */
  maxConnections?: number;
}
