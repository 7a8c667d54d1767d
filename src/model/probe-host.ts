/** What of a service says which Host its application knows. */
interface Hosts {
  upstreamHost?: string | undefined;
  routes: readonly { host?: string | undefined }[];
}

/** The Host of probes for which the configuration sets none. */
export function probeHost(service: Hosts): string {
  return knownHost(service) ?? 'localhost';
}

/** A Host that the application knows: the one that it is sent anyway, or the first that leads to it. */
export function knownHost({ upstreamHost, routes }: Hosts): string | undefined {
  return upstreamHost ?? routes.find(({ host }) => host !== undefined && !host.startsWith('*'))?.host;
}
