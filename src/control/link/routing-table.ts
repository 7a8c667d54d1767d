import type { HealthSettings } from '../../model/balancing.ts';
import { probeHost } from '../../model/probe-host.ts';
import type { ServiceSettings, Settings } from '../../model/settings.ts';
import type { RoutingTable, ServicePolicy } from '../../model/snapshot.ts';

/**
 * What the edges need to know of a configuration.
 * @param secret under which values are made that clients keep and must not understand
 */
export function routingTable(settings: Settings, secret: string): RoutingTable {
  return {
    routes: settings.services.flatMap(({ name, routes }) => routes.map((route) => ({ ...route, service: name }))),
    services: settings.services.map((service) => policyOf(service, secret, settings.workers > 1)),
    trustedProxies: settings.trustedProxies,
    heldBytes: settings.budget.heldBytes,
    compressions: settings.budget.compressions,
  };
}

/** What concerns requests goes to the edges as it is configured; what concerns replicas stays here. */
function policyOf(service: ServiceSettings, secret: string, sharesSlots: boolean): ServicePolicy {
  const { routes, endpoints, run, ready, scale, onExit, ...policy } = service;
  return {
    ...policy,
    wakeable: run !== undefined,
    concurrency: scale.concurrency,
    shed: scale.shed,
    activity: scale.activity,
    ...(sharesSlots ? { sharesSlots } : {}),
    healthHost: policy.health && healthHost(policy.health, service),
    stickyKey: policy.sticky && secret,
  };
}

function healthHost({ check }: HealthSettings, service: ServiceSettings): string {
  return (check.kind === 'http' ? check.host : undefined) ?? probeHost(service);
}
