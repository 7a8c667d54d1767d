import { hostPort } from '../../util/host-port.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/service.ts';
import { checkBalancing, checkCookies } from './balancing.ts';
import { checkConsulChoice } from './consul.ts';
import { checkProbeHosts } from './probe-hosts.ts';
import type { Report } from './report.ts';
import { checkRoutes } from './routes.ts';
import { checkRules } from './rules.ts';
import { checkReady, checkRun } from './run.ts';
import { checkBudget, checkScale } from './scale.ts';
import { checkUpstream } from './upstream.ts';
import type { Parsed } from './validate.ts';

/** Rules across the keys of one service, and across services. */
export function checkServices(parsed: Parsed, report: Report): void {
  const { budget } = parsed.sections;
  // What a service with a mistake in it means is not known: judging it further would only say wrong things.
  const services = report.broken(['defaults'])
    ? []
    : [...parsed.services].filter(([name]) => !report.broken(['services', name]));
  const soundBudget = report.broken(['budget']) ? undefined : budget;
  for (const [name, service] of services) {
    const base: Path = ['services', name];
    checkSource(service, base, report);
    checkConsulChoice(service, base, report);
    checkRun(service, base, report);
    checkReady(service, base, report);
    checkEngine(service, base, report);
    checkUpstream(service, base, report);
    checkScale(service, base, report);
    checkWake(service, base, report);
    checkRules(service, base, report);
    checkBalancing(service, base, report);
    checkProbeHosts(service, base, report);
    if (service.run === undefined) warnUnused(service, base, report);
  }
  checkCookies(services, report);
  checkRoutes(services, report);
  if (soundBudget !== undefined) checkBudget(services, soundBudget, report);
}

/** Somewhere its replicas come from; no address twice. */
function checkSource({ endpoints, run, routes }: ServiceConfig, base: Path, report: Report): void {
  const redirectsAll = routes.length > 0 && routes.every(({ rules }) => rules?.redirect !== undefined);
  if (!redirectsAll && run === undefined && Object.keys(endpoints).length === 0) {
    report.problem([base], 'needs endpoints (consul or static) to route to, or run to start replicas');
  }
  const seen = new Map<string, number>();
  endpoints.static?.addresses.forEach((endpoint, index) => {
    const text = hostPort(endpoint);
    const before = seen.get(text);
    const path = [...base, 'endpoints', 'static', index];
    if (before === undefined) seen.set(text, index);
    else report.problem([[...path, 'address'], path], `${text} is there already, as static[${before}]`);
  });
}

function checkEngine({ engine, run }: ServiceConfig, base: Path, report: Report): void {
  if (engine === 'http-proxy' && run !== undefined) {
    report.problem([[...base, 'engine'], base], 'http-proxy is only for services without run');
  }
}

function checkWake({ wake }: ServiceConfig, base: Path, report: Report): void {
  wake.forEach((rule, index) => {
    const path = [...base, 'wake', index];
    if (rule.then !== 'answer' && report.given([...path, 'status'])) {
      report.problem([[...path, 'status']], 'only means something with "then: answer"');
    }
    if (rule.path === undefined && rule.userAgent === undefined && index < wake.length - 1) {
      report.warning([path], 'matches every request: the rules after it never do');
    }
  });
}

/** What only concerns services that Pilotlight starts. */
function warnUnused({ endpoints }: ServiceConfig, base: Path, report: Report): void {
  const mayWait = endpoints.static?.addresses.some(({ maxConnections }) => maxConnections > 0);
  for (const key of ['ready', 'hold', 'scale', 'wake', 'onExit']) {
    const path = [...base, key];
    if (key === 'hold' && mayWait) continue;
    if (report.given(path)) report.warning([path], 'means nothing for a service without run');
  }
}
