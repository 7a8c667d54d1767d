import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** How Consul is reached: what does not go together. */
export function checkConsul({ sections }: Parsed, report: Report): void {
  const { consul } = sections;
  if (consul === undefined || report.broken(['consul'])) return;
  const problem = (key: string, message: string) => report.problem([['consul', key], ['consul']], message);
  if (consul.tokenFile !== undefined && consul.token !== undefined) {
    problem('tokenFile', 'does not go with token: the token is in the file, or here');
  }
  if (consul.key !== undefined && consul.cert === undefined) problem('key', 'means nothing without cert');
  const addresses = [consul.address ?? []].flat();
  for (const key of ['cert', 'serverName'] as const) {
    const isClear = addresses.length > 0 && addresses.every((address) => address.startsWith('http://'));
    if (consul[key] !== undefined && isClear) problem(key, 'needs an address of https://');
  }
  const twice = addresses.find((address, index) => addresses.indexOf(address) < index);
  if (twice !== undefined) problem('address', `${twice} is there twice`);
}

/** Which instances a service takes from Consul. */
export function checkConsulChoice({ endpoints }: ServiceConfig, base: Path, report: Report): void {
  const path: Path = [...base, 'endpoints', 'consul'];
  if (report.given([...path, 'tag']) && report.given([...path, 'tags'])) {
    report.problem([[...path, 'tag'], path], 'does not go with tags, of which it is the short form');
  }
  const { datacenters = [] } = (endpoints.consul ?? {}) as { datacenters?: readonly string[] };
  const twice = datacenters.find((name, index) => datacenters.indexOf(name) < index);
  if (twice !== undefined) report.problem([[...path, 'datacenters'], path], `${twice} is there twice`);
}
