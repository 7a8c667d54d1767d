import type { AccessLog } from '../../model/access.ts';
import type { Traces } from '../../model/traces.ts';
import type { CompressionLimit } from '../compress/compression-limit.ts';
import type { Shortage } from '../io/shortage.ts';
import type { ListenerRoutes } from '../route/listener-routes.ts';
import type { Route } from '../route/route-compiler.ts';
import type { ServiceContext } from '../service/context.ts';
import type { StaleCheck } from './stale-check.ts';

/** What the request path needs of the edge. */
export interface ExchangeContext extends ServiceContext {
  readonly staleCheck: StaleCheck;
  /** Compiled from the last table; swapped whole. */
  routes: ListenerRoutes<Route>;
  /** Bytes of request bodies held for all services, and their bound. */
  heldBytes: number;
  maxHeldBytes: number;
  /** No new work: connections close after their answer. */
  draining: boolean;
  /** … but what has to wait may: another process brings about what it waits for. */
  handingOver: boolean;
  readonly shortage: Shortage;
  /** Bounds the answers that are being compressed. */
  readonly compressions: CompressionLimit;
  /** Requests without a route, by status. */
  readonly unrouted: Map<number, number>;
  /** Takes a record per request; undefined where none is wanted. */
  readonly access: AccessLog | undefined;
  /** Takes what is traced; undefined where nothing is. */
  readonly traces: Traces | undefined;
  /** Closes all idle connections to services. @returns whether there were any */
  closeIdle(): boolean;
  /** A new request id: unique across restarts, 20 characters at most. */
  requestId(): string;
  /** The Date field's value of now (RFC 9110 §6.6.1), made anew once a second. */
  date(): string;
}
