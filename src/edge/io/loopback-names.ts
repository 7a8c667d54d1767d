import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

const IPV4 = { address: '127.0.0.1', family: 4 };
const IPV6 = { address: '::1', family: 6 };

/**
 * Looks a name up to connect to it. `localhost`, and what ends in it, is this machine in either family, whatever a file
 * of hosts makes of it (RFC 6761 §6.3): a server that binds the name may be on one of them alone. The other is tried
 * when nobody listens on the first.
 */
export const lookupToConnect: LookupFunction = (host, options, callback) => {
  if (!/(?:^|\.)localhost$/.test(host)) systemLookup(host, options, callback);
  else if (options.all === true) callback(null, [IPV4, IPV6]);
  else callback(null, IPV4.address, IPV4.family);
};
