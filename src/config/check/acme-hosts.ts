import { isIP } from 'node:net';
import type { ServiceSettings } from '../../model/settings.ts';

/** Longest label and name that authorities take for a host. */
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;

/**
 * The hosts of the routes of a listener, each once: those that a certificate can be ordered for, and the others, which
 * are wildcards, addresses and names that no authority takes.
 */
export function acmeHosts(
  listener: string | undefined,
  services: readonly Pick<ServiceSettings, 'routes'>[],
): { exact: string[]; others: string[] } {
  const exact = new Set<string>();
  const others = new Set<string>();
  for (const { routes } of services) {
    for (const { host, on } of routes) {
      if (host === undefined || (on !== undefined && on.length > 0 && !on.includes(listener ?? ''))) continue;
      const canBe = DNS_NAME.test(host) && isIP(host) === 0;
      (canBe ? exact : others).add(host);
    }
  }
  return { exact: [...exact], others: [...others] };
}
