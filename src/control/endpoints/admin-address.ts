import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { HostPort } from '../../model/settings.ts';

const WILDCARDS = new Set(['0.0.0.0', '::']);

/**
 * Tells whether an endpoint is the admin API of this process: it is never to be reached through a public listener, yet
 * whoever may write to a source could list it, and its access rules let in what comes from this machine.
 * @param admin where it listens
 */
export function adminAddressCheck(admin: HostPort): (endpoint: HostPort) => boolean {
  const own = new BlockList();
  const add = (address: string) => own.addAddress(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  if (isIP(admin.host) !== 0) add(admin.host);
  else for (const loopback of ['127.0.0.1', '::1']) add(loopback);
  // The address of no host leads back to this machine.
  for (const address of WILDCARDS) add(address);
  if (WILDCARDS.has(admin.host)) {
    own.addSubnet('127.0.0.0', 8, 'ipv4');
    for (const addresses of Object.values(networkInterfaces())) for (const { address } of addresses ?? []) add(address);
  }
  return ({ host, port }) => {
    if (port !== admin.port) return false;
    const family = isIP(host);
    if (family === 0) return host === admin.host || /(?:^|\.)localhost\.?$/i.test(host);
    return own.check(host, family === 6 ? 'ipv6' : 'ipv4');
  };
}
