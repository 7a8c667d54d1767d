import type { ServiceSettings } from '../../model/settings.ts';
import type { Endpoints } from '../schema/endpoints.ts';

/** What a service names, in a few words each: `consul shop`, `2 static`. */
export function describeEndpoints(endpoints: ServiceSettings['endpoints']): string[] {
  const { consul, static: fixed, ...others } = endpoints as Endpoints;
  return [
    ...(consul === undefined ? [] : [`consul ${consul.service}`]),
    ...(fixed === undefined ? [] : [`${fixed.addresses.length} static`]),
    ...Object.keys(others),
  ];
}

/**
 * What a service says of sources by the keys of the file: `resolve` stands beside them there, and only counts for
 * addresses.
 * @param other what it is compared with
 */
export function endpointKeys(endpoints: ServiceSettings['endpoints'], other: ServiceSettings['endpoints']): object {
  const { static: fixed, ...others } = endpoints as Endpoints;
  const { static: otherFixed } = other as Endpoints;
  return { ...others, static: fixed?.addresses, ...(fixed && otherFixed ? { resolve: fixed.resolveMs } : {}) };
}
