import type { ControlMessage } from '../model/link.ts';
import type { ListenSettings } from '../model/settings.ts';
import type { EndpointView, RouteView, RoutingTable, ServicePolicy, ServiceState } from '../model/snapshot.ts';
import type { Share } from './protocol.ts';

/**
 * Turns the bounds of the whole proxy into those of one worker, so that all workers together never exceed them. An
 * edge does not know of others: it keeps to what it is told.
 *
 * Bounds are at least as great as the number of workers, which the configuration is checked for; so nobody's part is 0,
 * which would be no limit.
 */
export class ShareOfBounds {
  readonly #share: Share;
  /** By service, requests in flight per endpoint; 0 = no limit. */
  #concurrency = new Map<string, number>();

  constructor(share: Share) {
    this.#share = share;
  }

  /** The message as it holds for this worker. */
  message(message: ControlMessage): ControlMessage {
    if (message.type === 'service') return { ...message, state: this.#state(message.state) };
    if (message.type !== 'table') return message;
    this.#concurrency = new Map(message.table.services.map(({ name, concurrency }) => [name, concurrency]));
    const states = message.states.map((state) => this.#state(state));
    return { ...message, table: this.#table(message.table), states };
  }

  listeners(listeners: readonly ListenSettings[]): ListenSettings[] {
    return listeners.map((listener) => {
      const { limits } = listener;
      const { connections, connectionsPerClient } = limits;
      return {
        ...listener,
        limits: {
          ...limits,
          connections: this.#part(connections),
          connectionsPerClient: this.#part(connectionsPerClient),
        },
      };
    });
  }

  #table(table: RoutingTable): RoutingTable {
    return {
      ...table,
      heldBytes: this.#part(table.heldBytes),
      services: table.services.map((policy) => this.#policy(policy)),
      routes: table.routes.map((route) => this.#route(route)),
    };
  }

  /** Slots are shared out per endpoint: see `#endpoint`. */
  #policy(policy: ServicePolicy): ServicePolicy {
    const { max, maxBytes, perClient } = policy.hold;
    const hold = {
      ...policy.hold,
      max: this.#part(max),
      maxBytes: this.#part(maxBytes),
      perClient: this.#part(perClient),
    };
    return { ...policy, hold, concurrency: 0 };
  }

  #route(route: RouteView): RouteView {
    const rate = route.rules?.rate;
    if (route.rules === undefined || rate === undefined) return route;
    // The rate is divided by a longer time, so that it stays exact.
    const shared = { ...rate, perMs: rate.perMs * this.#share.of, burst: this.#part(rate.burst) };
    return { ...route, rules: { ...route.rules, rate: shared } };
  }

  #state(state: ServiceState): ServiceState {
    const concurrency = this.#concurrency.get(state.service) ?? 0;
    return { ...state, endpoints: state.endpoints.map((endpoint) => this.#endpoint(endpoint, concurrency)) };
  }

  /** What does not divide evenly goes to one worker here, to another there, by the endpoint's identity. */
  #endpoint(endpoint: EndpointView, concurrency: number): EndpointView {
    const { maxConnections = 0 } = endpoint;
    const most = Math.min(concurrency || Number.POSITIVE_INFINITY, maxConnections || Number.POSITIVE_INFINITY);
    if (most === Number.POSITIVE_INFINITY) return endpoint;
    return { ...endpoint, maxConnections: this.#part(most, turnOf(endpoint.id)) };
  }

  #part(whole: number, turn = 0): number {
    const { index, of } = this.#share;
    const rest = (index + turn) % of < whole % of ? 1 : 0;
    return Math.floor(whole / of) + rest;
  }
}

/** The same for an identity whatever else changes: two workers must not swap their parts with requests in flight. */
function turnOf(id: string): number {
  let sum = 0;
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0;
  return sum;
}
