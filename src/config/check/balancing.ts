import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

/** Rules across the keys that say which endpoint gets a request. */
export function checkBalancing(service: ServiceConfig, base: Path, report: Report): void {
  const { balance, outlier, health } = service;
  if (balance !== 'hash' && report.given([...base, 'hashOn'])) {
    report.warning([[...base, 'hashOn']], 'means nothing without "balance: hash"');
  }
  if (outlier.ejectMs > outlier.maxEjectMs) {
    report.problem(
      [
        [...base, 'outlier', 'maxEject'],
        [...base, 'outlier', 'eject'],
      ],
      'is shorter than eject',
    );
  }
  if (health?.check.kind !== 'connect') return;
  for (const key of ['path', 'host', 'status']) {
    const path = [...base, 'health', key];
    if (report.given(path)) report.problem([path], 'means nothing with "tcp: true"');
  }
}

/** Two services on one host with one cookie would take it from each other at every request. */
export function checkCookies(services: readonly [string, ServiceConfig][], report: Report): void {
  const owners = new Map<string, string>();
  for (const [name, { routes, sticky }] of services) {
    if (sticky === undefined) continue;
    for (const host of new Set(routes.map((route) => route.host ?? ''))) {
      const key = JSON.stringify([host, sticky.cookie]);
      const owner = owners.get(key);
      if (owner === undefined) owners.set(key, name);
      else {
        const path: Path = ['services', name, 'sticky', 'cookie'];
        report.problem([path, ['services', name]], `${owner} uses this cookie on the same host`);
        break;
      }
    }
  }
}
