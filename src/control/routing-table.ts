import type { ServiceSettings, Settings } from '../model/settings.ts';
import type { RoutingTable, ServicePolicy } from '../model/snapshot.ts';

/** What the edges need to know of a configuration. */
export function routingTable(settings: Settings): RoutingTable {
  return {
    routes: settings.services.flatMap(({ name, routes }) => routes.map((route) => ({ ...route, service: name }))),
    services: settings.services.map(policyOf),
    trustedProxies: settings.trustedProxies,
    heldBytes: settings.budget.heldBytes,
  };
}

/** What concerns requests goes to the edges as it is configured; what concerns replicas stays here. */
function policyOf({ routes, endpoints, run, ready, scale, onExit, ...policy }: ServiceSettings): ServicePolicy {
  return { ...policy, wakeable: run !== undefined, concurrency: scale.concurrency };
}
