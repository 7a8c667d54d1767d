import { isIP, isIPv6 } from 'node:net';
import { availableParallelism, constants } from 'node:os';
import { domainToASCII } from 'node:url';
import type { HashOn } from '../../model/balancing.ts';
import type { HostPort } from '../../model/settings.ts';
import { hostPort } from '../../util/host-port.ts';
import { pathKey } from '../../util/path-readings.ts';
import { didYouMean } from '../../util/suggest.ts';
import type { Reading } from '../option/options.ts';

/** Most worker processes. */
const MAX_WORKERS = 256;

const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;

const NAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*$/;

/** A host name (letters, digits, `-`, `_`) or an IPv4 address; no port. */
export function isHostName(text: string): boolean {
  // A last label of digits only is an address, or a mistake for one.
  return text.length <= 253 && NAME.test(text) && (!/(?:^|\.)\d+$/.test(text) || isIP(text) === 4);
}

/** `host:port`, IPv6 in brackets: RFC 3986 §3.2. @param lowest the smallest port allowed */
export function readHostPort(text: string, lowest: 0 | 1): Reading<HostPort> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) {
    const scheme = SCHEME.exec(text)?.[0];
    if (scheme !== undefined) return { fault: `an address is host:port, without ${scheme} and path` };
    if (isIPv6(text) || /^[0-9a-f:]+:[0-9a-f:]*:\d+$/i.test(text)) {
      return { fault: 'an IPv6 address is written in brackets, with a port: [::1]:8080' };
    }
    return undefined;
  }
  const [, inBrackets, bare, digits] = match;
  if (inBrackets !== undefined ? !isIPv6(inBrackets) : !isHostName(bare as string)) return undefined;
  const port = Number(digits);
  if (port < lowest || port > 65535) return { fault: `a port is ${lowest} to 65535` };
  return { value: { host: (inBrackets ?? bare ?? '').toLowerCase(), port } };
}

/** An address of an endpoint: TLS is what many a URL asks for. */
export function readEndpointAddress(text: string): Reading<HostPort> {
  if (/^(?:https|wss|tls|ssl):\/\//i.test(text)) {
    return { fault: 'TLS to upstreams is not supported yet; an address is host:port' };
  }
  return readHostPort(text, 1);
}

/** The host of a route: exact, `*.suffix`, or an address; lower-cased, without a trailing dot, IDN as `xn--`. */
export function readHostPattern(text: string): Reading<string> {
  if (text.includes('://') || text.includes('/')) return { fault: 'a host only: no scheme and no path' };
  if (text === '*' || text === '') return { fault: 'leave host out to match any host' };
  if (/^\[[^\]]*\]$/.test(text) && isIPv6(text.slice(1, -1))) return { value: text.toLowerCase() };
  if (/^[^:]*:\d*$/.test(text) || /^\[.*\]:\d+$/.test(text)) return { fault: 'a host without its port' };
  const wildcard = text.startsWith('*.');
  const name = (wildcard ? text.slice(2) : text).replace(/\.$/, '');
  if (name.includes('*')) return { fault: '"*" may only stand for all labels at the start: *.example.com' };
  const ascii = /[^ -~]/.test(name) ? domainToASCII(name) : name.toLowerCase();
  if (!isHostName(ascii) || (wildcard && isIP(ascii) !== 0)) return undefined;
  return { value: wildcard ? `*.${ascii}` : ascii };
}

/**
 * A path prefix as on the wire: no query, no parameter, no dot segment; without its trailing slash unless it is `/`, and
 * in the one spelling of RFC 3986 §6.2.2.
 */
export function readPathPrefix(text: string): Reading<string> {
  if (!text.startsWith('/')) return { fault: 'a path starts with "/"' };
  if (/[?#]/.test(text)) return { fault: 'a path only: no "?" and no "#"' };
  if (/[^!-~]/.test(text)) return { fault: 'blanks and characters beyond ASCII are percent-encoded in a path' };
  if (text.includes(';')) return { fault: 'a path has no ";": what follows one in a request is a parameter' };
  if (text.includes('%00')) return { fault: 'a path has no NUL: no request with one is let through' };
  const segments = text.slice(1).replace(/\/$/, '').split('/');
  if (segments.some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) {
    return { fault: 'a path has no "." and ".." segments' };
  }
  if (text !== '/' && segments.includes('')) return { fault: 'a path has no empty segments' };
  return { value: text === '/' ? text : pathKey(text.replace(/\/$/, '')) };
}

/** What a readiness probe asks for: path and, if need be, query. */
export function readProbePath(text: string): Reading<string> {
  if (!text.startsWith('/')) return { fault: 'a path starts with "/"' };
  if (/[^!-~]|#/.test(text)) return { fault: 'blanks, "#" and characters beyond ASCII are percent-encoded in a path' };
  return { value: text };
}

/** `200-499` or `204`: final statuses, 200 to 599. */
export function readStatusRange(text: string): Reading<{ min: number; max: number }> {
  const match = /^(\d{3})(?:\s*-\s*(\d{3}))?$/.exec(text);
  if (match === null) return undefined;
  const min = Number(match[1]);
  const max = Number(match[2] ?? match[1]);
  if (min < 200 || max > 599) return { fault: 'a final status is 200 to 599' };
  return min > max ? { fault: 'the range runs from the lower status to the higher' } : { value: { min, max } };
}

/** `client`, `path`, `header:NAME` or `cookie:NAME`. */
export function readHashOn(text: string): Reading<HashOn> {
  if (text === 'client' || text === 'path') return { value: { kind: text } };
  const match = /^(header|cookie):([!#$%&'*+.^_`|~0-9A-Za-z-]+)$/.exec(text);
  if (match === null) return undefined;
  const name = match[2] as string;
  return { value: match[1] === 'header' ? { kind: 'header', name: name.toLowerCase() } : { kind: 'cookie', name } };
}

/** An address or a CIDR: `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`. */
export function readCidr(text: string): Reading<string> {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const family = isIP(match?.[1] ?? '');
  if (match === null || family === 0) return undefined;
  const bits = family === 4 ? 32 : 128;
  return Number(match[2] ?? 0) > bits ? { fault: `a prefix length of IPv${family} is 0 to ${bits}` } : { value: text };
}

/** `SIGTERM`, or `TERM`. */
export function readSignal(text: string): Reading<string> {
  const upper = text.toUpperCase();
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  if (Object.hasOwn(constants.signals, name)) return { value: name };
  return { fault: `no such signal${didYouMean(name, Object.keys(constants.signals))}` };
}

/** Consul's address as an origin; without a scheme it is http. Credentials, paths and queries are refused unprinted. */
export function readConsulAddress(text: string): Reading<string> {
  const fault = { fault: 'expected an origin such as http://127.0.0.1:8500' };
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') return fault;
  const bare =
    url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  return bare ? { value: url.origin } : fault;
}

/** The Engine API: a unix socket's absolute path (`unix://` may lead), or tcp://host:port. */
export function readDockerSocket(text: string): Reading<string> {
  const path = text.replace(/^unix:\/\//, '');
  if (path.startsWith('/')) return { value: path };
  const address = text.startsWith('tcp://') ? readHostPort(text.slice(6).replace(/\/$/, ''), 1) : undefined;
  if (address === undefined) return undefined;
  return 'fault' in address ? address : { value: `tcp://${hostPort(address.value)}` };
}

/** Host, or host:port, that others can dial: no wildcard address. */
export function readAdvertise(text: string): Reading<string> {
  const address = readHostPort(text, 1);
  if (address !== undefined && 'fault' in address && !isIPv6(text)) return address;
  const host = address !== undefined && 'value' in address ? address.value.host : text;
  if (!isHostName(host) && !isIPv6(host)) return undefined;
  if (/^(?:0\.0\.0\.0|::)$/.test(host))
    return { fault: 'the address under which others reach this machine, no wildcard' };
  return { value: text };
}

/** A Host header: host or host:port. */
export function readUpstreamHost(text: string): Reading<string> {
  const address = readHostPort(text, 1);
  if (address !== undefined && 'fault' in address) return address;
  const bracketed = /^\[(.*)\]$/.exec(text);
  const host = bracketed === null ? isHostName(text) : isIPv6(bracketed[1] as string);
  return address !== undefined || host ? { value: text } : undefined;
}

/** Docker bind syntax, source:target[:options]. The source is an absolute or `./` path, or a volume's name. */
export function readVolume(text: string): Reading<string> {
  const match = /^(\.{0,2}\/[^:]*|[A-Za-z0-9][A-Za-z0-9_.-]*):(\/[^:]*)(?::([a-zA-Z,]+))?$/.exec(text);
  return match === null ? undefined : { value: text };
}

/** A number of processes; `auto` is one per core. */
export function readWorkers(text: string): Reading<number> {
  const count = text === 'auto' ? Math.min(availableParallelism(), MAX_WORKERS) : /^\d+$/.test(text) ? Number(text) : 0;
  return count >= 1 && count <= MAX_WORKERS ? { value: count } : undefined;
}
