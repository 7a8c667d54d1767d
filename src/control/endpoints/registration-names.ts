import type { Registrar, Registration } from '../../model/discovery.ts';
import type { ServiceSettings, Settings } from '../../model/settings.ts';

/** The entry of a replica that serves; undefined where replicas are not registered. */
export function replicaRegistration(
  registrar: Registrar,
  service: ServiceSettings,
  instance: string,
  ordinal: number,
  port: number,
): Registration | undefined {
  const { lists, advertise } = registrar;
  if (lists !== 'replicas' || advertise === undefined || !isListed(service)) return undefined;
  const { name, tags } = registrar.listingOf(service);
  const id = replicaRegistrationId(instance, service.name, ordinal);
  return { id, name: `${name}-replica`, tags, ...splitHost(advertise), port };
}

export function replicaRegistrationId(instance: string, service: string, ordinal: number): string {
  return `pilotlight-${instance}-${service}-${ordinal}`;
}

/** The entries of the proxy itself, one under the name of every service that is listed; none where it is not registered. */
export function edgeRegistrations(
  registrar: Registrar,
  { services, listen }: Settings,
  instance: string,
): Registration[] {
  const { lists, advertise } = registrar;
  if (lists !== 'edge' || advertise === undefined) return [];
  const { host, port = listen[0]?.address.port ?? 0 } = splitHost(advertise);
  return services.filter(isListed).map((service) => {
    const id = `pilotlight-${instance}-${service.name}`;
    return { id, ...registrar.listingOf(service), host, port };
  });
}

/** Whoever looks up what others run is to find those, and not this proxy, unless somebody says so. */
function isListed({ run, register = run !== undefined }: ServiceSettings): boolean {
  return register;
}

/** `host`, `host:port`, `[v6]:port` or a bare IPv6 address. */
function splitHost(text: string): { host: string; port?: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return { host: text };
  return match?.[3] === undefined ? { host } : { host, port: Number(match[3]) };
}
