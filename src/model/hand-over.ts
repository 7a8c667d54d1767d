import type { TicketKeysView } from './certificates.ts';
import type { Declaration } from './declarations.ts';
import type { EndpointSet } from './discovery.ts';
import type { EndpointByHand } from './status.ts';

/**
 * What a process hands to its successor besides its replicas and its state directory. Plain data. What sources said last
 * holds until they answer the successor: they may be out of reach just then.
 */
export interface HandedOver extends KnownEndpoints {
  /** The keys of its session tickets. */
  readonly ticketKeys: TicketKeysView;
  /** Who declares services. */
  readonly declarations: readonly Declaration[];
}

/** What is known of endpoints. */
export interface KnownEndpoints {
  /** Where they are, by source. */
  readonly endpoints: readonly EndpointSet[];
  /** What operators set of them. */
  readonly byHand: readonly SetByHand[];
}

/** What an operator set of an address of a service. */
export interface SetByHand extends Readonly<EndpointByHand> {
  readonly service: string;
  /** The key of the address. */
  readonly address: string;
}
