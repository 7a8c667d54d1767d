import { isIP, isIPv6 } from 'node:net';
import type { HostPort } from '../../model/settings.ts';
import { hostPort } from '../../util/host-port.ts';
import type { Reading } from '../option/value-types.ts';

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

/** Longest path of a unix socket, bytes: what the system has room for (sun_path, with a NUL behind it). */
const LONGEST_SOCKET_PATH = 107;

/** An address of an endpoint: `host:port`, or `unix:` with the path of a socket. TLS is what many a URL asks for. */
export function readEndpointAddress(text: string): Reading<HostPort> {
  if (/^(?:https|wss|tls|ssl|grpcs):\/\//i.test(text)) {
    return { fault: 'an address is host:port; for TLS set upstream.tls of the service' };
  }
  return text.startsWith('unix:') ? readSocketPath(text.slice('unix:'.length)) : readHostPort(text, 1);
}

function readSocketPath(text: string): Reading<HostPort> {
  const path = text.replace(/^\/\/(?=\/)/, '');
  if (!path.startsWith('/')) return { fault: 'the path of a socket is absolute: unix:/run/shop.sock' };
  if (path.includes('\0')) return { fault: 'a path holds no NUL' };
  const bytes = Buffer.byteLength(path);
  if (bytes <= LONGEST_SOCKET_PATH) return { value: { host: path, port: 0 } };
  return { fault: `the path of a socket has ${LONGEST_SOCKET_PATH} bytes at most, this one has ${bytes}` };
}

/** An address or a CIDR: `10.0.0.0/8`, `192.0.2.7`, `fd00::/8`. */
export function readCidr(text: string): Reading<string> {
  const match = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text);
  const family = isIP(match?.[1] ?? '');
  if (match === null || family === 0) return undefined;
  const bits = family === 4 ? 32 : 128;
  return Number(match[2] ?? 0) > bits ? { fault: `a prefix length of IPv${family} is 0 to ${bits}` } : { value: text };
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

/** Longest URL of a collector, characters. */
const LONGEST_URL = 2048;

/** A collector's URL. Without a path the one of OTLP is meant; credentials and queries are refused unprinted. */
export function readCollector(text: string): Reading<string> {
  const fault = { fault: 'expected a URL such as http://127.0.0.1:4318, without credentials and query' };
  const url = text.length > LONGEST_URL ? null : URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === '') return fault;
  if (url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') return fault;
  return { value: url.pathname === '/' ? `${url.origin}/v1/traces` : url.href };
}
