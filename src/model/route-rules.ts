/** Applied in this order: `allow`, `rate`, `redirect`, `basicAuth`; then `strip` and `headers`. */
export interface RouteRules {
  /** Whether the route's path is cut off what is sent on. */
  strip: boolean;
  redirect: RedirectSettings | undefined;
  /** Whether GET and HEAD of the route's path itself are sent to it with a slash behind it. */
  addSlash?: boolean;
  /** CIDRs (or single addresses) of the clients that are let in; empty: all. */
  allow: string[];
  /** Subjects of the client certificates that are let in, `*` for anything; absent: whether there is one or not. */
  allowSubjects?: string[];
  basicAuth: BasicAuthSettings | undefined;
  rate: RateSettings | undefined;
  headers: { request: HeaderRules; response: HeaderRules };
}

/** An answer that sends the client elsewhere. */
export interface RedirectSettings {
  /** Location: absolute, or a path; with `{host}`, `{path}` and `{query}`. */
  to: string;
  /** 301, 302, 303, 307 or 308. */
  status: number;
}

export interface BasicAuthSettings {
  /** Printable ASCII without quotes and backslashes. */
  realm: string;
  /** At least one; `hash` as `util/password-hash.ts` writes it. */
  users: { name: string; hash: string }[];
  /** Whether the service gets the Authorization field too. */
  forward: boolean;
}

/** A token bucket per client. */
export interface RateSettings {
  /** Requests per `perMs` in the long run. */
  requests: number;
  /** ms. */
  perMs: number;
  /** Requests at once. */
  burst: number;
}

export interface HeaderRules {
  /** Each replaces all fields of its name. Values may hold `{client}`, `{host}`, `{path}`, `{query}`, `{request-id}`. */
  set: { name: string; value: string }[];
  /** Names. */
  remove: string[];
}
