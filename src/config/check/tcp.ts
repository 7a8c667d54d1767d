import { didYouMean } from '../../util/suggest.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';
import type { Parsed } from './validate.ts';

/** Keys of a listener that concern HTTP alone. */
const HTTP_LISTENER: readonly Path[] = [
  ['timeouts', 'body'],
  ['timeouts', 'keepAlive'],
  ['limits', 'head'],
  ['limits', 'fields'],
  ['limits', 'target'],
  ['limits', 'chunkExtensions'],
  ['limits', 'trailers'],
  ['limits', 'requests'],
  ['limits', 'http2'],
  ['http2'],
  ['tls'],
  ['redirectToHttps'],
  ['timeouts', 'handshake'],
  ['limits', 'handshakes'],
];

/** Keys of a service that concern HTTP alone. */
const HTTP_SERVICE: readonly Path[] = [
  ['ready', 'path'],
  ['ready', 'host'],
  ['ready', 'status'],
  ['hold', 'page'],
  ['scale', 'latency'],
  ['scale', 'shed'],
  ['scale', 'activity'],
  ['sticky'],
  ['hashOn'],
  ['timeouts', 'firstByte'],
  ['timeouts', 'stream'],
  ['limits'],
  ['retries', 'idempotent'],
  ['wake'],
  ['upstreamHost'],
  ['engine'],
  ['via'],
  ['allowHalfOpen'],
  ['hsts'],
  ['upstream', 'protocol'],
  ['upstream', 'tls'],
];

type Listen = NonNullable<Parsed['sections']['listen']>;

/** Rules of TCP listeners, and of the services that they lead to. */
export function checkTcp({ sections, services }: Parsed, report: Report): void {
  const { listen } = sections;
  if (listen === undefined || report.broken(['listen'])) return;
  const leads = new Map<string, Path>();
  let isClear = true;
  for (const [index, listener] of listen.entries()) {
    isClear = checkListener(listener, ['listen', index], services, leads, report) && isClear;
  }
  for (const [name, service] of services) {
    const base: Path = ['services', name];
    if (report.broken(base) || report.broken(['defaults'])) continue;
    const led = leads.get(name);
    if (led === undefined && service.group !== undefined && service.routes.length === 0) continue;
    if (led === undefined) checkOther(service, base, isClear, report);
    else {
      checkService(service, base, `listen[${led[1]}].tcp`, report);
      warnOfPublished(service, base, sections.docker?.reach, report);
    }
  }
}

/**
 * @param leads takes the services that it leads to, and where that is said
 * @returns whether it is clear where it leads
 */
function checkListener(
  { tcp }: Listen[number],
  base: Path,
  services: Parsed['services'],
  leads: Map<string, Path>,
  report: Report,
): boolean {
  if (tcp === undefined) return true;
  const path = [...base, 'tcp'];
  if (tcp.service === undefined && tcp.sni.length === 0) report.problem([path], 'needs service, or sni');
  if (tcp.service !== undefined && tcp.sni.length > 0) report.problem([[...path, 'sni']], 'service or sni, not both');
  const ways: [string, Path][] = tcp.sni.map(({ name, service }) => [service, [...path, 'sni', name]]);
  if (tcp.service !== undefined) ways.push([tcp.service, [...path, 'service']]);
  for (const [name, at] of ways) {
    leads.set(name, at);
    if (services.has(name) || report.broken(['services', name])) continue;
    report.problem([at, path], `no service is called "${name}"${didYouMean(name, [...services.keys()])}`);
  }
  const isClear = !report.broken(path);
  for (const key of HTTP_LISTENER) {
    if (report.given([...base, ...key])) report.problem([[...base, ...key]], 'means nothing with tcp');
  }
  return isClear;
}

function checkService(service: ServiceConfig, base: Path, listener: string, report: Report): void {
  const { routes, health, scale, ready } = service;
  if (routes.length > 0) {
    report.problem([[...base, 'routes']], `${listener} leads to it: a service has routes or is one of TCP, not both`);
  }
  for (const key of HTTP_SERVICE) {
    const path = [...base, ...key];
    if (report.given(path)) report.problem([path], `means nothing for a service of TCP, which ${listener} leads to`);
  }
  if (ready.kind === 'http' && report.given([...base, 'ready', 'check'])) {
    report.problem([[...base, 'ready', 'check']], 'a service of TCP does not answer HTTP: see ready.tcp');
  }
  if (health?.check.kind === 'http' && report.given([...base, 'health'])) {
    report.problem([[...base, 'health']], 'a service of TCP is checked by a connection: write tcp: true');
  }
  if (report.given([...base, 'scale', 'max']) && (scale.max ?? 1) > 1 && scale.concurrency === 0) {
    report.warning(
      [[...base, 'scale', 'max']],
      'is never reached without scale.concurrency: sessions are all that TCP scales on',
    );
  }
}

/** The engine accepts on the published port of a container, whether its program does or not. */
function warnOfPublished({ run, ready }: ServiceConfig, base: Path, reach: string | undefined, report: Report): void {
  if (run?.docker === undefined || reach !== 'host' || ready.kind !== 'http') return;
  const message =
    'with docker.reach: host the engine accepts before the program does: say what it answers in ready.tcp';
  report.warning([[...base, 'ready'], base], message);
}

/** A service that routes have to lead to, where no listener means to. */
function checkOther({ routes, ready }: ServiceConfig, base: Path, isClear: boolean, report: Report): void {
  if (routes.length === 0 && isClear) report.problem([[...base, 'routes']], 'is missing');
  const only = 'is only for services that a listener with tcp leads to';
  if (ready.kind === 'tcp' && report.given([...base, 'ready', 'tcp'])) {
    report.problem([[...base, 'ready', 'tcp']], only);
  }
}
