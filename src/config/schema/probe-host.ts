import type { Path } from '../check/problem.ts';
import type { Report } from '../check/report.ts';
import { optional, parsed } from './options.ts';
import { readUpstreamHost } from './readers.ts';
import type { ServiceConfig } from './schema.ts';

/** `host` of a check. */
export function probeHost(more = '') {
  return optional(
    parsed('host or host:port', 'a host or host:port', readUpstreamHost),
    `Host that is asked for: one that the application knows.${more}`,
    'upstreamHost, else the first host of the routes without a wildcard, else localhost',
  );
}

/** Warns of checks that go out with a Host that was merely made up, where that decides. */
export function checkProbeHosts(service: ServiceConfig, base: Path, report: Report): void {
  const { upstreamHost, routes, health, ready, run } = service;
  if (upstreamHost !== undefined || routes.some(({ host }) => host !== undefined && !host.startsWith('*'))) return;
  if (health !== undefined && !health.tcp && health.host === undefined && !takesRefusals(health.status)) {
    report.warning([[...base, 'health']], message('health'));
  }
  if (run === undefined || ready.check !== 'http' || ready.host !== undefined || takesRefusals(ready.status)) return;
  report.warning([[...base, 'ready', 'status'], base], message('ready'));
}

function message(key: string): string {
  return (
    `its checks go out with "Host: localhost", since no route names one host: set ${key}.host, unless the application ` +
    'answers whatever it is called'
  );
}

/** Whether an application that does not know the Host passes all the same. */
function takesRefusals({ min, max }: { min: number; max: number }): boolean {
  return min <= 400 && max >= 499;
}
