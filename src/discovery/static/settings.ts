import type { EndpointShare } from '../../model/balancing.ts';
import type { HostPort } from '../../model/settings.ts';

/** What a service says of its addresses. */
export interface StaticEndpoints {
  addresses: readonly StaticEndpoint[];
  /** How often host names among them are looked up, ms; absent: 30 s. */
  resolveMs?: number;
}

/** An address written in the configuration. */
export interface StaticEndpoint extends HostPort, EndpointShare {
  /** Relative share; absent: 1, the normal one. */
  weight?: number;
}
