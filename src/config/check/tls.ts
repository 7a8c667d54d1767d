import { didYouMean } from '../../util/suggest.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import { checkAcme } from './acme.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

type Listen = NonNullable<Parsed['sections']['listen']>;
type Tls = NonNullable<Listen[number]['tls']>;

/** Rules of listeners with TLS and beside such, and of what refers to them. */
export function checkTls({ sections, services }: Parsed, report: Report): void {
  const { listen, trustedProxies = [] } = sections;
  if (listen === undefined || report.broken(['listen'])) return;
  const endsTls = listen.some(({ tls }) => tls !== undefined);
  const names = new Map<string, number>();
  for (const [index, listener] of listen.entries()) {
    const base: Path = ['listen', index];
    checkName(listener.name, index, names, report);
    checkRedirect(listener, base, endsTls, report);
    if (listener.tls === undefined) continue;
    checkCertificates(listener.tls, [...base, 'tls'], report);
    checkNames(listener.tls, [...base, 'tls', 'names'], report);
  }
  checkAcme(listen, services, report);
  const asksClients = listen.some(({ tls }) =>
    [tls, ...(tls?.names ?? [])].some((each) => each?.clientAuth !== undefined),
  );
  for (const [name, service] of services) {
    const base: Path = ['services', name];
    if (report.broken(base)) continue;
    checkService(service, base, [...names.keys()], asksClients, report);
    if (service.hstsMs === undefined || endsTls || trustedProxies.length > 0) continue;
    report.warning([[...base, 'hsts']], 'no listener has tls: nobody is told');
  }
}

function checkName(name: string | undefined, index: number, names: Map<string, number>, report: Report): void {
  if (name === undefined) return;
  const other = names.get(name);
  if (other === undefined) names.set(name, index);
  else report.problem([['listen', index, 'name']], `listen[${other}] has that name`);
}

function checkRedirect({ redirectToHttps, tls }: Listen[number], base: Path, endsTls: boolean, report: Report): void {
  if (!redirectToHttps) return;
  const path = [[...base, 'redirectToHttps']];
  if (tls !== undefined) report.problem(path, 'means nothing with tls: requests come by https already');
  else if (!endsTls) report.problem(path, 'needs a listener with tls to send requests to');
}

function checkCertificates({ certificates, clientAuth, acme }: Tls, base: Path, report: Report): void {
  if (certificates.length === 0 && acme === undefined)
    report.problem([base], 'needs certificates, or acme to order them');
  for (const [index, { cert, key, folder }] of certificates.entries()) {
    const path = [...base, 'certificates', index];
    if (cert === undefined && folder === undefined) report.problem([path], 'needs cert or folder');
    if (cert !== undefined && folder !== undefined) report.problem([[...path, 'folder']], 'cert or folder, not both');
    if (key !== undefined && cert === undefined) report.problem([[...path, 'key']], 'means nothing without cert');
  }
  checkClientAuth(clientAuth, [...base, 'clientAuth'], report);
}

/** A variable that is not set must not let everybody in. */
function checkClientAuth(clientAuth: Tls['clientAuth'], path: Path, report: Report): void {
  if (clientAuth !== undefined || !report.empty(path)) return;
  report.problem([path], 'nothing stands here: to ask for no certificates, leave the key out');
}

function checkNames({ names }: Tls, base: Path, report: Report): void {
  const taken = new Map<string, number>();
  for (const [index, { hosts, minVersion, ciphers, curves, clientAuth }] of names.entries()) {
    const path = [...base, index];
    checkClientAuth(clientAuth, [...path, 'clientAuth'], report);
    for (const [place, host] of hosts.entries()) {
      const other = taken.get(host);
      if (other === undefined) taken.set(host, index);
      else report.problem([[...path, 'hosts', place]], `names[${other}] has that name`);
    }
    const lists = [ciphers, curves];
    if (minVersion === undefined && lists.every(({ length }) => length === 0) && clientAuth === undefined) {
      report.problem([path], 'says nothing that differs: give minVersion, ciphers, curves or clientAuth');
    }
  }
}

function checkService(
  { routes }: ServiceConfig,
  base: Path,
  names: readonly string[],
  asksClients: boolean,
  report: Report,
): void {
  for (const [index, { on = [], rules }] of routes.entries()) {
    const path = [...base, 'routes', index];
    for (const [place, name] of on.entries()) {
      if (names.includes(name)) continue;
      report.problem([[...path, 'on', place]], `no listener is called "${name}"${didYouMean(name, names)}`);
    }
    if (rules?.allowSubjects !== undefined && !asksClients) {
      report.problem([[...path, 'allowSubjects']], 'needs a listener with tls.clientAuth: nobody is let in without');
    }
  }
}
