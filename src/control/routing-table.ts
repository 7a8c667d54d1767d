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

function policyOf(service: ServiceSettings): ServicePolicy {
  return {
    name: service.name,
    wakeable: service.run !== undefined,
    hold: service.hold,
    concurrency: service.scale.concurrency,
    balance: service.balance,
    timeouts: service.timeouts,
    retries: service.retries,
    wake: service.wake,
    upstreamHost: service.upstreamHost,
    allowHalfOpen: service.allowHalfOpen,
  };
}
