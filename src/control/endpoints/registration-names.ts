import type { Registration } from '../../model/discovery.ts';
import type { ServiceSettings, Settings } from '../../model/settings.ts';

/** The entry of a replica that serves; undefined where replicas are not registered. */
export function replicaRegistration(
  settings: Settings,
  service: ServiceSettings,
  instance: string,
  ordinal: number,
  port: number,
): Registration | undefined {
  const { consul } = settings;
  if (consul?.register !== 'replicas' || consul.advertise === undefined) return undefined;
  const id = replicaRegistrationId(instance, service.name, ordinal);
  return { id, name: `${catalogueName(service)}-replica`, tags: tags(service), ...splitHost(consul.advertise), port };
}

export function replicaRegistrationId(instance: string, service: string, ordinal: number): string {
  return `pilotlight-${instance}-${service}-${ordinal}`;
}

/** The entries of the proxy itself, one under the name of every service; none where it is not registered. */
export function edgeRegistrations(settings: Settings, instance: string): Registration[] {
  const { consul, listen } = settings;
  if (consul?.register !== 'edge' || consul.advertise === undefined) return [];
  const { host, port = listen[0]?.address.port ?? 0 } = splitHost(consul.advertise);
  return settings.services.map((service) => {
    const id = `pilotlight-${instance}-${service.name}`;
    return { id, name: catalogueName(service), tags: tags(service), host, port };
  });
}

/** The name under which others look the service up. */
function catalogueName({ name, endpoints }: ServiceSettings): string {
  return endpoints.consul?.service ?? name;
}

function tags({ endpoints }: ServiceSettings): string[] {
  return [endpoints.consul?.tag ?? []].flat();
}

/** `host`, `host:port`, `[v6]:port` or a bare IPv6 address. */
function splitHost(text: string): { host: string; port?: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  if (host === undefined) return { host: text };
  return match?.[3] === undefined ? { host } : { host, port: Number(match[3]) };
}
