import { isAbsolute, relative } from 'node:path';
import { describeEndpoints } from '../config/changes/endpoints.ts';
import type { Problem } from '../config/check/problem.ts';
import { formatProblem } from '../config/check/problem.ts';
import { loadConfig } from '../config/load/load.ts';
import { findConfig } from '../config/read/find.ts';
import type { CertificateFacts, CertificateFinding, CertificateInspection, OrderPlan } from '../model/certificates.ts';
import type { ListenSettings, Settings } from '../model/settings.ts';
import { counted } from '../util/format.ts';
import { hostPort } from '../util/host-port.ts';
import { configNotFound } from './locate-config.ts';

/** What `check` needs of the world. `out` and `err` take whole lines without their end. */
interface CheckOptions {
  /** `-c`; undefined: found where a configuration is looked for. */
  file?: string | undefined;
  json: boolean;
  env: Record<string, string | undefined>;
  cwd: string;
  out: (line: string) => void;
  err: (line: string) => void;
  /** Reads what listeners and services name. */
  inspectCertificates: InspectCertificates;
}

/** @param now ms since the epoch */
export type InspectCertificates = (
  settings: Pick<Settings, 'listen' | 'services'>,
  now: number,
) => Promise<CertificateInspection>;

/**
 * Validates a configuration without starting anything. Problems go to `err`, one a line, a summary to `out`; with `json`
 * either goes to `out` as one JSON document.
 * @returns the exit code: 0, or 1 when there is no configuration or something is wrong with it
 */
export async function runCheck(options: CheckOptions): Promise<number> {
  const { file: explicit, json, env, cwd, out, err, inspectCertificates } = options;
  const found = await findConfig({ explicit, env, cwd });
  if ('searched' in found) {
    if (json) out(JSON.stringify({ ok: false, file: null, searched: found.searched, problems: [] }, null, 2));
    else err(configNotFound(found.searched).message);
    return 1;
  }
  const file = explicit ?? shorten(found.file, cwd);
  const named = (problems: Problem[]) =>
    problems.map((problem) => {
      // What is included keeps its own name.
      const isOther = problem.file !== '' && problem.file !== found.file;
      return { ...problem, file: isOther ? shorten(problem.file, cwd) : file };
    });
  const result = await loadConfig(found.file, env);
  const inspection = result.ok ? await inspectCertificates(result.settings, Date.now()) : NOTHING;
  const told = (kind: CertificateFinding['kind']) => findingsOf(inspection, kind, result.ok ? result.places : {});
  const faults = told('fault');
  if (!result.ok || faults.length > 0) {
    const problems = named(result.ok ? faults : result.problems);
    if (json) out(JSON.stringify({ ok: false, file, problems }, null, 2));
    else for (const problem of problems) err(formatProblem(problem));
    return 1;
  }
  const warnings = named([...result.warnings, ...told('warning')]);
  const certificates = inspection.certificates.map(expiryOf);
  const { orders } = inspection;
  const summary = {
    ...summarise(result.settings),
    ...(certificates.length > 0 ? { certificates } : {}),
    ...(orders.length > 0 ? { orders } : {}),
  };
  if (json) out(JSON.stringify({ ok: true, file, ...summary, warnings }, null, 2));
  else for (const line of summaryLines(file, summary, warnings)) out(line);
  return 0;
}

const NOTHING: CertificateInspection = { findings: [], certificates: [], orders: [] };
const DAY_MS = 86_400_000;

/** What is said of certificates, where the file names them. */
function findingsOf(
  { findings }: CertificateInspection,
  kind: CertificateFinding['kind'],
  places: Readonly<Record<string, { line: number; column: number }>>,
): Problem[] {
  return findings
    .filter((finding) => finding.kind === kind)
    .map(({ path, message }) => ({ file: '', line: 0, column: 0, ...places[path], path, message }));
}

function expiryOf({ file, name, notAfter }: CertificateFacts): { name: string; file: string; daysLeft: number } {
  return { name, file, daysLeft: Math.floor((notAfter - Date.now()) / DAY_MS) };
}

interface Summary {
  listen: string[];
  admin: string;
  services: { name: string; routes: string[]; replicas: string }[];
  certificates?: { name: string; file: string; daysLeft: number }[];
  orders?: OrderPlan[];
}

function summarise(settings: Settings): Summary {
  return {
    listen: settings.listen.map(({ address }) => hostPort(address)),
    admin: hostPort(settings.admin.address),
    services: settings.services.map(({ name, routes, run, scale, endpoints }) => {
      const started = run === undefined ? [] : [`${run.kind} ${scale.min}–${scale.max}`];
      const elsewhere = routes.some(({ rules }) => rules?.redirect !== undefined) ? ['redirects'] : [];
      return {
        name,
        routes: [...routes.map(({ host, path }) => `${host ?? '*'}${path}`), ...tcpWays(settings.listen, name)],
        replicas: [...started, ...describeEndpoints(endpoints), ...elsewhere].join(', '),
      };
    }),
  };
}

/** The TCP listeners that lead to a service. */
function tcpWays(listen: readonly ListenSettings[], name: string): string[] {
  return listen.flatMap(({ address, tcp }) => {
    const way = `tcp ${hostPort(address)}`;
    const named = tcp?.sni.filter(({ service }) => service === name) ?? [];
    return [...(tcp?.service === name ? [way] : []), ...named.map((each) => `${way} for ${each.name}`)];
  });
}

function summaryLines(file: string, summary: Summary, warnings: Problem[]): string[] {
  const { listen, admin, services, certificates = [], orders = [] } = summary;
  const routes = services.reduce((count, service) => count + service.routes.length, 0);
  const counts = [counted(services.length, 'service'), counted(routes, 'route'), counted(listen.length, 'listener')];
  return [
    ...warnings.map((warning) => `warning: ${formatProblem(warning)}`),
    `${file} is valid: ${counts.join(', ')}, ${counted(warnings.length, 'warning')}`,
    `listens on ${listen.join(', ')}; admin on ${admin}`,
    ...certificates.map(({ name, daysLeft }) => `certificate for ${name}: ${counted(daysLeft, 'day')} left`),
    ...orders.map(orderLine),
    ...services.map((service) => `${service.name}: ${service.routes.join(', ')} → ${service.replicas}`),
  ];
}

function orderLine({ directory, challenge, hosts }: OrderPlan): string {
  return `orders ${counted(hosts.length, 'certificate')} from ${directory} by ${challenge}: ${hosts.join(', ')}`;
}

/** A path below the working directory, as one would type it. */
function shorten(file: string, cwd: string): string {
  const short = relative(cwd, file);
  return short.startsWith('..') || isAbsolute(short) ? file : short;
}
