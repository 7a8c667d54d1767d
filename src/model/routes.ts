/** A route as the admin API shows it: without what its rules hold of secrets. */
export interface RouteStatus {
  /** Exact, `*.suffix`, or null for any; of TCP, the name in the ClientHello. */
  host: string | null;
  /** Prefix at a segment border; null for TCP, which has no paths. */
  path: string | null;
  service: string;
  /** Names of the listeners that it holds for, of TCP their address; null: all. */
  listeners: string[] | null;
  /** What is asked of and done to its requests, in this order, a short text each. */
  rules: string[];
}

/** A request of which somebody wants to know where it would go. */
export interface RouteQuestion {
  method: string;
  /** Absolute, as a client would send it: `https://shop.example.com/api?x=1`. */
  url: string;
}

/** Where a request would go, and why. */
export interface RouteExplanation {
  method: string;
  /** Lower case, without port; empty where the URL cannot be read. */
  host: string;
  /** As it was sent, without query; all that was asked where the URL cannot be read. */
  path: string;
  /** The listener that the request would come to: null where none takes such. */
  listener: { name: string | null; address: string } | null;
  /** Null: it is refused, or answered before it is routed. */
  route: RouteStatus | null;
  /** The code of the refusal (`NO_ROUTE`, `AMBIGUOUS_PATH` and others of docs/errors.md); null: it is not refused. */
  refusal: string | null;
  /** What decides, in one line. */
  why: string;
  /** What happens then, in order, a line each. */
  then: string[];
  /** Other routes that are for this host, and why they do not take it; 100 at most. */
  others: { route: RouteStatus; why: string }[];
  /** Further routes, which are for other hosts or listeners. */
  elsewhere: number;
}

/** What the admin API may ask of the routes in force. */
export interface RouteBook {
  /** All, by host and path. @param host only those that are for it, in the order in which they are asked */
  list(host?: string): RouteStatus[];
  explain(question: RouteQuestion): RouteExplanation;
}
