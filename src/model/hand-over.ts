import type { TicketKeysView } from './certificates.ts';
import type { Declaration } from './declarations.ts';
import type { EndpointSet } from './discovery.ts';

/**
 * What a process hands to its successor besides its replicas and its state directory. Plain data. What sources said last
 * holds until they answer the successor: they may be out of reach just then.
 */
export interface HandedOver {
  /** The keys of its session tickets. */
  readonly ticketKeys: TicketKeysView;
  /** Where endpoints are, by source. */
  readonly endpoints: readonly EndpointSet[];
  /** Who declares services. */
  readonly declarations: readonly Declaration[];
}
