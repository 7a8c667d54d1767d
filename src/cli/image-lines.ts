import type { HostImage } from '../model/runtime.ts';
import type { ServiceStatus } from '../model/status.ts';
import { counted } from '../util/format.ts';

/** How many hosts are named of those of the same state. */
const NAMED = 5;

/** How far the hosts of a service are in getting its image, in one line; none where there are no such hosts. */
export function imageLines({ images = [] }: ServiceStatus): string[] {
  if (images.length === 0) return [];
  const there = images.filter(({ state }) => state === 'there').length;
  if (there === images.length) return [`image on all of ${counted(there, 'host')}`];
  const rest = (['pulling', 'missing'] as const).flatMap((state) => {
    const hosts = images.filter((image) => image.state === state);
    return hosts.length === 0 ? [] : [`${state} on ${names(hosts)}`];
  });
  return [`image on ${there} of ${counted(images.length, 'host')}; ${rest.join('; ')}`];
}

/** Each with the reason where it has one. */
function names(hosts: readonly HostImage[]): string {
  const named = hosts.slice(0, NAMED).map(({ host, detail = '' }) => (detail === '' ? host : `${host} (${detail})`));
  const more = hosts.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
