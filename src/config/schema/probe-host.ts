import { optional, parsed } from '../option/options.ts';
import { readUpstreamHost } from './readers.ts';

/** `host` of a check. */
export function probeHost(more = '') {
  return optional(
    parsed('host or host:port', 'a host or host:port', readUpstreamHost),
    `Host that is asked for: one that the application knows.${more}`,
    'upstreamHost, else the first host of the routes without a wildcard, else localhost',
  );
}
