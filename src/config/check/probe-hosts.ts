import { knownHost } from '../../model/probe-host.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import type { Report } from './report.ts';

/** Warns of checks that go out with a Host that was merely made up, where that decides. */
export function checkProbeHosts(service: ServiceConfig, base: Path, report: Report): void {
  const { health, ready, run } = service;
  if (knownHost(service) !== undefined) return;
  if (health?.check.kind === 'http' && isRisky(health.check)) {
    report.warning([[...base, 'health']], message('health'));
  }
  if (run !== undefined && ready.kind === 'http' && isRisky(ready)) {
    report.warning([[...base, 'ready', 'status'], base], message('ready'));
  }
}

function message(key: string): string {
  return (
    `its checks go out with "Host: localhost", since no route names one host: set ${key}.host, unless the application ` +
    'answers whatever it is called'
  );
}

/** Whether no Host is set, and an application that does not know the one that goes out does not pass. */
function isRisky(check: { host?: string | undefined; statusMin: number; statusMax: number }): boolean {
  return check.host === undefined && (check.statusMin > 400 || check.statusMax < 499);
}
