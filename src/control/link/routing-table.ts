import type { HealthSettings } from '../../model/balancing.ts';
import { probeHost } from '../../model/probe-host.ts';
import type { ServiceSettings, Settings } from '../../model/settings.ts';
import type { RoutingTable, ServicePolicy } from '../../model/snapshot.ts';
import type { UpstreamPolicy, UpstreamSettings, UpstreamTls } from '../../model/upstream.ts';

/**
 * What the edges need to know of a configuration.
 * @param secret under which values are made that clients keep and must not understand
 * @param upstreamTls what the files of `upstream.tls` hold, by service
 */
export function routingTable(
  settings: Settings,
  secret: string,
  upstreamTls: ReadonlyMap<string, UpstreamTls> = new Map(),
): RoutingTable {
  const areSeveral = settings.workers > 1 || settings.cluster !== undefined;
  return {
    routes: settings.services.flatMap(({ name, routes }) => routes.map((route) => ({ ...route, service: name }))),
    services: settings.services.map((service) => policyOf(service, secret, upstreamTls, areSeveral)),
    trustedProxies: settings.trustedProxies,
    heldBytes: settings.budget.heldBytes,
    compressions: settings.budget.compressions,
  };
}

/** What concerns requests goes to the edges as it is configured; what concerns replicas stays here. */
function policyOf(
  service: ServiceSettings,
  secret: string,
  upstreamTls: ReadonlyMap<string, UpstreamTls>,
  sharesSlots: boolean,
): ServicePolicy {
  const { routes, endpoints, run, ready, scale, onExit, upstream, ...policy } = service;
  return {
    ...policy,
    wakeable: run !== undefined,
    concurrency: scale.concurrency,
    shed: scale.shed,
    activity: scale.activity,
    ...(sharesSlots ? { sharesSlots } : {}),
    healthHost: policy.health && healthHost(policy.health, service),
    stickyKey: policy.sticky && secret,
    ...(upstream === undefined ? {} : { upstream: upstreamOf(upstream, upstreamTls.get(service.name)) }),
  };
}

/** Without what its files hold, TLS goes by the authorities of the system: never is it left out. */
function upstreamOf({ tls, ...upstream }: UpstreamSettings, read: UpstreamTls | undefined): UpstreamPolicy {
  if (tls === undefined) return upstream;
  const { serverName, verify } = tls;
  return { ...upstream, tls: read ?? { ca: undefined, cert: undefined, key: undefined, serverName, verify } };
}

function healthHost({ check }: HealthSettings, service: ServiceSettings): string {
  return (check.kind === 'http' ? check.host : undefined) ?? probeHost(service);
}
