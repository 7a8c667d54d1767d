import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import { acmeHosts } from './acme-hosts.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

type Listen = NonNullable<Parsed['sections']['listen']>;

/** Rules of certificates that are ordered. */
export function checkAcme(listen: Listen, services: ReadonlyMap<string, ServiceConfig>, report: Report): void {
  const isPlain = listen.some(({ tls, tcp }) => tls === undefined && tcp === undefined);
  for (const [index, { name, tls }] of listen.entries()) {
    const base: Path = ['listen', index, 'tls', 'acme'];
    if (report.empty(base)) report.problem([base], 'nothing stands here: to order nothing, leave the key out');
    if (tls?.acme === undefined) continue;
    const { eab, challenge } = tls.acme;
    if (eab !== undefined && (eab.hmac === undefined) === (eab.hmacFile === undefined)) {
      report.problem([[...base, 'eab']], 'needs either hmac or hmacFile');
    }
    // A variable that is not set must not make another account.
    for (const key of ['eab', 'ca', 'profile']) {
      if (report.empty([...base, key])) report.problem([[...base, key]], 'nothing stands here: leave the key out');
    }
    if (challenge === 'http-01' && !isPlain) {
      report.warning(
        [[...base, 'challenge'], base],
        'http-01 is asked of port 80 in clear text: no listener is without tls',
      );
    }
    const { exact, others } = acmeHosts(name, [...services.values()]);
    if (exact.length === 0) report.warning([base], 'no route of this listener has an exact host: nothing is ordered');
    if (others.length === 0 || tls.certificates.length > 0) continue;
    const why = 'can be ordered for exact host names alone: name files in certificates';
    report.warning([base], `no certificate for ${others.slice(0, 10).join(', ')}: one ${why}`);
  }
}
