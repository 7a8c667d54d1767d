import type { EndpointView } from '../../model/snapshot.ts';
import type { CheckGate } from '../health/check-gate.ts';
import type { ProberContext } from '../health/prober.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { HttpProxyEngine } from '../upstream/http-proxy-engine.ts';

/** What services need of the edge. */
export interface ServiceContext extends ProberContext {
  /** When nothing more is dispatched to replicas of ours, as nobody leads this edge, the clock's ms. */
  ledUntil: number;
  /** Bounds the health checks under way. */
  readonly checkGate: CheckGate;
  /** Returns the compatibility engine, which is made at its first use. */
  httpProxyEngine(): HttpProxyEngine;
  /** Returns the endpoint that a probe made for this view, with the connection it opened; undefined where none fits. */
  takeProbed(view: EndpointView): Endpoint | undefined;
}
