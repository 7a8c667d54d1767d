import { knownHost } from '../../model/probe-host.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/schema.ts';
import type { Report } from './report.ts';

/** Warns of checks that go out with a Host that was merely made up, where that decides. */
export function checkProbeHosts(service: ServiceConfig, base: Path, report: Report): void {
  const { health, ready, run } = service;
  if (knownHost(service) !== undefined) return;
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
