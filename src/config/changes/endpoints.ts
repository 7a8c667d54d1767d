import type { ServiceSettings } from '../../model/settings.ts';
import type { Endpoints } from '../schema/endpoints.ts';

/** What a service names, in a few words each: `consul shop`, `2 static`. */
export function describeEndpoints(endpoints: ServiceSettings['endpoints']): string[] {
  const { consul, static: fixed } = endpoints as Endpoints;
  return [
    ...(consul === undefined ? [] : [`consul ${consul.service}`]),
    ...(fixed === undefined ? [] : [`${fixed.addresses.length} static`]),
  ];
}

/** The same by the keys of the file: `resolve` stands beside the sources there, and only counts for addresses. */
export function endpointKeys(endpoints: ServiceSettings['endpoints'], other: ServiceSettings['endpoints']): object {
  const { consul, static: fixed } = endpoints as Endpoints;
  const { static: otherFixed } = other as Endpoints;
  return { consul, static: fixed?.addresses, ...(fixed && otherFixed ? { resolve: fixed.resolveMs } : {}) };
}
