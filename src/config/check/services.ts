import { hostPort } from '../../util/host-port.ts';
import type { Path } from '../read/path.ts';
import type { ServiceConfig } from '../schema/schema.ts';
import { checkBalancing, checkCookies } from './balancing.ts';
import { checkProbeHosts } from './probe-hosts.ts';
import type { Report } from './report.ts';
import { checkRoutes } from './routes.ts';
import { checkRules } from './rules.ts';
import { scaleBounds } from './scale-bounds.ts';
import type { Parsed } from './validate.ts';

type Services = [string, ServiceConfig][];
type Docker = NonNullable<NonNullable<ServiceConfig['run']>['docker']>;

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
    checkRun(service, base, report);
    checkReady(service, base, report);
    checkEngine(service, base, report);
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
  const redirectsAll = routes.every(({ redirect }) => redirect !== undefined);
  if (!redirectsAll && run === undefined && endpoints.consul === undefined && endpoints.static.length === 0) {
    report.problem([base], 'needs endpoints (consul or static) to route to, or run to start replicas');
  }
  const seen = new Map<string, number>();
  endpoints.static.forEach(({ address }, index) => {
    const text = hostPort(address);
    const before = seen.get(text);
    const path = [...base, 'endpoints', 'static', index];
    if (before === undefined) seen.set(text, index);
    else report.problem([[...path, 'address'], path], `${text} is there already, as static[${before}]`);
  });
}

function checkRun({ run }: ServiceConfig, base: Path, report: Report): void {
  if (run === undefined) return;
  const path = [...base, 'run'];
  if (run.docker === undefined && run.process === undefined) report.problem([path], 'needs docker or process');
  if (run.docker !== undefined && run.process !== undefined) {
    report.problem([[...path, 'process']], 'docker or process, not both');
  }
  if (run.docker !== undefined) checkDocker(run.docker, [...path, 'docker'], report);
  if (run.process !== undefined) {
    const words = [...run.process.command, ...Object.values(run.process.env)];
    if (!words.some((word) => word.includes('{port}'))) {
      const message =
        'nothing tells the process its port: put {port} into command or env, such as env: { PORT: "{port}" }';
      report.problem([[...path, 'process']], message);
    }
  }
}

function checkDocker(docker: Docker, path: Path, report: Report): void {
  if (docker.container === undefined) {
    if (docker.image === undefined) report.problem([path], 'needs image, or container for an existing one');
    return;
  }
  for (const key of Object.keys(docker)) {
    if (key === 'container' || key === 'port' || key === 'stop' || !report.given([...path, key])) continue;
    const message =
      key === 'image' ? 'image or container, not both' : 'an existing container keeps what it was made with';
    report.problem([[...path, key]], message);
  }
}

function checkReady({ ready, run }: ServiceConfig, base: Path, report: Report): void {
  if (ready.check !== 'docker-health') return;
  const path = [...base, 'ready'];
  if (run !== undefined && run.docker === undefined) {
    report.problem([[...path, 'check'], path], 'docker-health needs run.docker');
  }
  for (const key of ['path', 'host', 'status']) {
    if (report.given([...path, key])) report.problem([[...path, key]], 'means nothing with docker-health');
  }
}

function checkEngine({ engine, run }: ServiceConfig, base: Path, report: Report): void {
  if (engine === 'http-proxy' && run !== undefined) {
    report.problem([[...base, 'engine'], base], 'http-proxy is only for services without run');
  }
}

function checkScale(service: ServiceConfig, base: Path, report: Report): void {
  const { min, max, initial } = scaleBounds(service);
  const path = [...base, 'scale'];
  const [atMin, atMax, atInitial] = [
    [...path, 'min'],
    [...path, 'max'],
    [...path, 'initial'],
  ];
  const container = service.run?.docker?.container !== undefined;
  const given = service.scale.max === undefined ? `${max}, the default` : `${max}`;
  if (container && max > 1) report.problem([atMax], `an existing container is one replica: max is 1, not ${max}`);
  else if (min > max) report.problem([atMin], `min ${min} is over max (${given})`);
  else if (initial > max) report.problem([atInitial], `initial ${initial} is over max (${given})`);
  if (initial < min) report.problem([atInitial], `initial ${initial} is under min (${min})`);
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
  const mayWait = endpoints.static.some(({ maxConnections }) => maxConnections > 0);
  for (const key of ['ready', 'hold', 'scale', 'wake', 'onExit']) {
    const path = [...base, key];
    if (key === 'hold' && mayWait) continue;
    if (report.given(path)) report.warning([path], 'means nothing for a service without run');
  }
}

function checkBudget(services: Services, budget: NonNullable<Parsed['sections']['budget']>, report: Report): void {
  let least = 0;
  for (const [name, service] of services) {
    const base: Path = ['services', name];
    if (service.run === undefined) continue;
    const { min, initial, max } = scaleBounds(service);
    least += min;
    const at = (key: string) => [[...base, 'scale', key]];
    const limit = `budget.replicas (${budget.replicas})`;
    if (initial > budget.replicas) report.problem(at('initial'), `initial ${initial} is over ${limit}`);
    else if (max > budget.replicas) report.warning(at('max'), `max ${max} is over ${limit} and is never reached`);
    if (service.hold.maxBytes > budget.heldBytes) {
      report.warning([[...base, 'hold', 'maxBytes']], 'is over budget.heldBytes and is never reached');
    }
  }
  if (least > budget.replicas) {
    const paths: Path[] = [['budget', 'replicas'], ['services']];
    report.problem(paths, `the services' min add up to ${least}, over budget.replicas (${budget.replicas})`);
  }
}
