import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

const IPV4 = { address: '127.0.0.1', family: 4 };
const IPV6 = { address: '::1', family: 6 };

/**
 * Looks a name up to connect to it. `localhost` and names that end in it are this machine in either family, whatever
 * the hosts file says (RFC 6761 §6.3). A server that binds the name may listen on one family alone, so the other is
 * tried when nobody listens on the first.
 */
export const lookupToConnect: LookupFunction = (host, options, callback) => {
  if (!/(?:^|\.)localhost$/.test(host)) systemLookup(host, options, callback);
  else if (options.all === true) callback(null, [IPV4, IPV6]);
  else callback(null, IPV4.address, IPV4.family);
};
