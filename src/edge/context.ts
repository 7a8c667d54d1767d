import type { AccessLog } from '../model/access.ts';
import type { EdgeMessage } from '../model/link.ts';
import type { Logger } from '../model/observe.ts';
import type { EndpointView } from '../model/snapshot.ts';
import type { Clock } from '../util/clock.ts';
import type { UntrustedForwarding } from './client/untrusted-forwarding.ts';
import type { StaleCheck } from './exchange/stale-check.ts';
import type { CheckGate } from './health/check-gate.ts';
import type { TrustedProxies } from './io/client-address.ts';
import type { Deadlines } from './io/deadlines.ts';
import type { Shortage } from './io/shortage.ts';
import type { Route } from './route/route.ts';
import type { RouteTable } from './route/route-table.ts';
import type { Endpoint } from './upstream/endpoint.ts';
import type { HttpProxyEngine } from './upstream/http-proxy-engine.ts';

/** What the parts of one edge share. One object for the whole edge, so that a request reaches it in one step. */
export interface EdgeContext {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlines: Deadlines;
  readonly staleCheck: StaleCheck;
  /** Bounds the health checks under way. */
  readonly checkGate: CheckGate;
  /** Compiled from the last table; swapped whole. */
  routes: RouteTable<Route>;
  trusted: TrustedProxies;
  readonly untrusted: UntrustedForwarding;
  /** Bytes of request bodies held for all services, and their bound. */
  heldBytes: number;
  maxHeldBytes: number;
  /** No new work: connections close after their answer. */
  draining: boolean;
  /** … but what has to wait may: another process brings about what it waits for. */
  handingOver: boolean;
  readonly shortage: Shortage;
  /** Client connections that there are file descriptors for, with one to a service for each. */
  readonly room: number;
  /** Connections beyond the limit that there are file descriptors for, to tell them. */
  readonly turnedAway: number;
  /** Requests without a route, by status. */
  readonly unrouted: Map<number, number>;
  /** Takes a record per request; undefined where none is wanted. */
  readonly access: AccessLog | undefined;
  /** Closes all idle connections to services. @returns whether there were any */
  closeIdle(): boolean;
  /** The compatibility engine; made at its first use. */
  httpProxyEngine(): HttpProxyEngine;
  /** Sends to the control plane. */
  post(message: EdgeMessage): void;
  /** The endpoint that a probe made for this view, with the connection it opened; undefined where none fits. */
  takeProbed(view: EndpointView): Endpoint | undefined;
  /** A new request id: unique across restarts, 20 characters at most. */
  requestId(): string;
  /** The Date field's value of now (RFC 9110 §6.6.1), made anew once a second. */
  date(): string;
}
