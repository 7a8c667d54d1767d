import type { EdgeListener } from '../model/certificates.ts';
import type { ControlMessage } from '../model/link.ts';
import type { RouteView, RoutingTable, ServicePolicy } from '../model/snapshot.ts';
import type { Share } from './protocol.ts';

/**
 * Turns the bounds of the whole proxy into those of one worker, so that all workers together never exceed them. An
 * edge does not know of others: it keeps to what it is told. (What bounds requests in flight is not divided: see
 * `SlotGrant`.)
 *
 * Bounds are at least as great as the number of workers, which the configuration is checked for; so nobody's part is 0,
 * which would be no limit.
 */
export class ShareOfBounds {
  readonly #share: Share;

  constructor(share: Share) {
    this.#share = share;
  }

  /** The message as it holds for this worker. */
  message(message: ControlMessage): ControlMessage {
    return message.type === 'table' ? { ...message, table: this.#table(message.table) } : message;
  }

  listeners(listeners: readonly EdgeListener[]): EdgeListener[] {
    return listeners.map((listener) => {
      const { limits } = listener;
      const { connections, connectionsPerClient, handshakes } = limits;
      return {
        ...listener,
        limits: {
          ...limits,
          connections: this.#part(connections),
          connectionsPerClient: this.#part(connectionsPerClient),
          handshakes: this.#part(handshakes),
        },
      };
    });
  }

  #table(table: RoutingTable): RoutingTable {
    return {
      ...table,
      heldBytes: this.#part(table.heldBytes),
      compressions: table.compressions && this.#part(table.compressions),
      services: table.services.map((policy) => this.#policy(policy)),
      routes: table.routes.map((route) => this.#route(route)),
    };
  }

  #policy(policy: ServicePolicy): ServicePolicy {
    const { max, maxBytes, perClient } = policy.hold;
    const hold = {
      ...policy.hold,
      max: this.#part(max),
      maxBytes: this.#part(maxBytes),
      perClient: this.#part(perClient),
    };
    return { ...policy, hold };
  }

  #route(route: RouteView): RouteView {
    const rate = route.rules?.rate;
    if (route.rules === undefined || rate === undefined) return route;
    // The rate is divided by a longer time, so that it stays exact.
    const shared = { ...rate, perMs: rate.perMs * this.#share.of, burst: this.#part(rate.burst) };
    return { ...route, rules: { ...route.rules, rate: shared } };
  }

  #part(whole: number): number {
    const { index, of } = this.#share;
    return Math.floor(whole / of) + (index < whole % of ? 1 : 0);
  }
}
