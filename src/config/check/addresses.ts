import { isIPv6 } from 'node:net';
import type { HostPort } from '../../model/settings.ts';
import { hostPort } from '../../util/host-port.ts';
import { canonicalIpv6, withoutMapping } from '../../util/ip-address.ts';
import type { Path } from '../read/path.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

interface Bound {
  address: HostPort;
  /** As the message calls it. */
  name: string;
  path: Path;
}

/** Two things on one address; an admin API that is open to others without a token. */
export function checkAddresses({ sections }: Parsed, report: Report): void {
  if (sections.admin !== undefined && !report.broken(['admin'])) checkToken(sections.admin, report);
  const bound: Bound[] = (sections.listen ?? []).map(({ address }, index) => {
    return { address, name: `listen[${index}]`, path: ['listen', index, 'address'] };
  });
  if (sections.admin !== undefined) {
    bound.push({ address: sections.admin.address, name: 'the admin API', path: ['admin', 'address'] });
  }
  bound.forEach((later, index) => {
    const earlier = bound.slice(0, index).find((other) => overlap(other.address, later.address));
    if (earlier === undefined) return;
    if (report.given(later.path)) report.problem([later.path], `taken by ${describe(earlier)}`);
    else report.problem([earlier.path], `taken by ${describe(later)} (its default)`);
  });
}

function checkToken(admin: { address: HostPort; token?: string | undefined }, report: Report): void {
  if (admin.token !== undefined || isLoopback(admin.address.host)) return;
  const paths = [['admin', 'address']];
  report.problem(paths, `${hostPort(admin.address)} is not a loopback address: set admin.token`);
}

/** Whether only this machine reaches the address. */
function isLoopback(host: string): boolean {
  const plain = canonical(host);
  return plain === '::1' || /^127\.\d+\.\d+\.\d+$/.test(plain);
}

function describe({ address, name }: Bound): string {
  return `${name} on ${hostPort(address)}`;
}

/** Whether the system refuses to listen on both: the same address, or one that is every address of the machine. */
function overlap(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const [left, right] = [canonical(a.host), canonical(b.host)];
  if (left === right) return true;
  // [::] takes IPv4 too.
  const covers = (all: string, one: string) => all === '::' || (all === '0.0.0.0' && (one === '::' || !isIPv6(one)));
  return covers(left, right) || covers(right, left);
}

/** One spelling per address. */
function canonical(host: string): string {
  if (host === 'localhost') return '127.0.0.1';
  return withoutMapping(canonicalIpv6(host));
}
