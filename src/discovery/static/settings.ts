import type { EndpointShare } from '../../model/balancing.ts';
import type { HostPort } from '../../model/settings.ts';

/** What a service says of its addresses. */
export interface StaticEndpoints {
  addresses: readonly StaticEndpoint[];
  /** How often host names among them are looked up, ms. */
  resolveMs: number;
}

/** An address written in the configuration. */
export interface StaticEndpoint extends HostPort, EndpointShare {
  /** Relative share; 1 is the normal one. */
  weight: number;
}
