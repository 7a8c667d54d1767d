import type { Declaration, DeclareSettings, DeclareSourceSettings } from '../../model/declarations.ts';
import type { RouteSettings, ServiceSettings, Settings } from '../../model/settings.ts';
import type { Problem } from '../check/problem.ts';
import { createReport, type Report } from '../check/report.ts';
import { checkServices } from '../check/services.ts';
import { checkTcp } from '../check/tcp.ts';
import { validateService } from '../check/validate.ts';
import { serviceSettings } from '../load/assemble.ts';
import { freeze } from '../load/compact.ts';
import { resolvePaths } from '../option/resolve-paths.ts';
import { treeDocument } from '../read/tree-document.ts';
import { configSchema, serviceName } from '../schema/config.ts';
import { serviceSchema } from '../schema/service.ts';
import type { Dialect } from './dialects/dialect.ts';
import { dialectsOf } from './dialects/dialects.ts';
import { type Branch, Draft, type Tree } from './draft.ts';
import { hostIsAmong } from './host-patterns.ts';
import { readOwnLabels } from './own-labels.ts';

/** What one declaration says on its own. */
export interface DeclarationReading {
  /** What it is called, or was to be. */
  name: string;
  /** Undefined: it is wrong. */
  service: ServiceSettings | undefined;
  /** Why it is wrong, a line each. */
  problems: readonly string[];
  /** What was left out, a line each. */
  remarks: readonly string[];
}

/** Most labels of one declaration, and most characters of one. */
const MOST_LABELS = 200;
const MOST_CHARACTERS = 4096;

/**
 * Reads the labels of a declaration by the rules of the file.
 * @returns undefined where they declare nothing
 */
export function readDeclaration(
  declaration: Declaration,
  declare: DeclareSettings,
  file: Pick<Settings, 'budget'>,
): DeclarationReading | undefined {
  const source = declare.sources[declaration.source];
  if (source === undefined) return undefined;
  const draft = new Draft(source.allow.options, declaration);
  const { labels, prefix, faults = [], notes = [] } = declaration;
  draft.problems.push(...faults);
  draft.remarks.push(...notes);
  const enabled = [readOwnLabels(labels, prefix, draft)];
  if (enabled[0] === false) return undefined;
  const read = dialectsOf(declare.dialects);
  enabled.push(...read.map((dialect) => dialect.read(labels, draft)));
  if (!enabled.includes(true)) return undefined;
  const isRead = (label: string) => label.startsWith(`${prefix}.`) || read.some((dialect) => dialect.owns(label));
  checkBounds(declaration, source, isRead, draft);
  const name = nameOf(declaration, draft);
  bind(declaration, draft);
  share(declaration, read, draft);
  const { options } = draft;
  if (options['group'] !== undefined && declaration.after.length > 0) options['after'] ??= [...declaration.after];
  const { problems, remarks } = draft;
  const service = check(name, draft, declaration, declare, file);
  if (service !== undefined) checkHosts(service.routes, source, draft);
  return { name, service: problems.length > 0 ? undefined : service, problems, remarks };
}

function checkBounds(
  { labels, networks, word = 'label' }: Declaration,
  source: DeclareSourceSettings,
  isRead: (label: string) => boolean,
  draft: Draft,
): void {
  const own = Object.entries(labels).filter(([label]) => isRead(label));
  if (own.length > MOST_LABELS) draft.problems.push(`expected at most ${MOST_LABELS} ${word}s, found ${own.length}`);
  const long = own.find(([, value]) => value.length > MOST_CHARACTERS);
  if (long !== undefined) draft.refuse(long[0].slice(0, 100), `expected at most ${MOST_CHARACTERS} characters`);
  const { networks: allowed } = source;
  if (allowed !== undefined && networks !== undefined && !networks.some((network) => allowed.includes(network))) {
    const found = networks.length === 0 ? 'none' : networks.join(', ');
    draft.problems.push(`expected to be in one of the networks ${allowed.join(', ')} (declare), found ${found}`);
  }
}

/** The name that a label gives it, else the source's, made fit. */
function nameOf({ service, prefix }: Declaration, draft: Draft): string {
  if (draft.name === undefined) return fitName(service);
  const named = serviceName.safeParse(draft.name);
  if (!named.success) draft.refuse(`${prefix}.name`, named.error.issues[0]?.message ?? 'expected a name');
  return draft.name;
}

/** A name that a service may have: `My_App` is `my-app`. */
function fitName(name: string): string {
  const fit = name.toLowerCase().replace(/[^a-z0-9-]+/g, '-');
  return fit.replace(/^-+/, '').slice(0, 63) || 'unnamed';
}

/** Adds what the source says of the service, and its port. */
function bind({ binding, portAt, ports, prefix }: Declaration, draft: Draft): void {
  const label = `${prefix}.port`;
  Object.assign(draft.options, structuredClone(binding));
  if (portAt === undefined) {
    if (draft.port !== undefined) draft.refuse(draft.port.label, 'expected no port: its source knows it');
    return;
  }
  const port = draft.port?.value ?? (ports.length === 1 ? String(ports[0]) : undefined);
  if (port === undefined) {
    const found = ports.length === 0 ? 'none is exposed' : `${ports.join(', ')} are exposed`;
    draft.refuse(label, `expected the port that it listens on; ${found}`);
    return;
  }
  let at = draft.options;
  for (const key of portAt.slice(0, -1)) {
    at[key] ??= Object.create(null) as Tree;
    at = at[key] as Tree;
  }
  at[portAt.at(-1) as string] = port as Branch;
}

/** Adds what tags say of how requests are shared. */
function share({ sharesAt, tags = [] }: Declaration, dialects: readonly Dialect[], draft: Draft): void {
  const shares: Tree = Object.create(null);
  for (const tag of sharesAt === undefined ? [] : tags) {
    const found = dialects.map((dialect) => dialect.shareOf?.(tag)).find((each) => each !== undefined);
    if (found !== undefined) shares[tag] = String(found);
  }
  if (sharesAt === undefined || Object.keys(shares).length === 0) return;
  let at = draft.options;
  for (const key of sharesAt.slice(0, -1)) at = at[key] as Tree;
  at[sharesAt.at(-1) as string] = shares;
}

/** Runs the checks of the file over it. */
function check(
  name: string,
  draft: Draft,
  { portAt, prefix }: Declaration,
  { defaults, folder }: DeclareSettings,
  { budget }: Pick<Settings, 'budget'>,
): ServiceSettings | undefined {
  const document = treeDocument({ defaults, services: { [name]: draft.options } });
  const report = createReport('', document, configSchema);
  const parsed = validateService(name, draft.options, { ...defaults }, report);
  const isTcp = parsed !== undefined && parsed.routes.length === 0;
  if (parsed?.group !== undefined && parsed.run === undefined) {
    draft.refuse(`${prefix}.group`, 'expected a service that can be started; what others run has no group');
  }
  if (parsed !== undefined) crossCheck(name, parsed, budget, report);
  const portPath = portAt && `services.${name}.${portAt.join('.')}`;
  // Of what lacks something already, values of labels are worth a word, and nothing else is.
  const isWhole = draft.problems.length === 0;
  const problems = report.problems().filter(({ path }) => isWhole || draft.labels.has(withinOf(path, name)));
  for (const problem of problems) draft.problems.push(describe(problem, name, draft, portPath, prefix));
  for (const warning of report.warnings()) draft.remarks.push(describe(warning, name, draft, portPath, prefix));
  if (parsed === undefined || draft.problems.length > 0) return undefined;
  return freeze(serviceSettings(name, resolvePaths(serviceSchema, parsed, folder), isTcp));
}

function crossCheck(
  name: string,
  service: NonNullable<ReturnType<typeof validateService>>,
  budget: Settings['budget'],
  report: Report,
): void {
  // With its default where it came from the file.
  const sections = { budget: budget as Required<Settings['budget']>, listen: [] };
  const parsed = { sections, services: new Map([[name, service]]), defaults: {} };
  checkServices(parsed, report);
  checkTcp(parsed, report);
}

/** Where something is within its service; empty: nowhere. */
function withinOf(path: string, name: string): string {
  const service = `services.${name}.`;
  return path.startsWith(service) ? path.slice(service.length) : '';
}

/** A line that names the label where one said it. */
function describe(
  { path, message }: Problem,
  name: string,
  draft: Draft,
  portPath: string | undefined,
  prefix: string,
): string {
  const within = withinOf(path, name);
  const label = path === portPath ? (draft.port?.label ?? `${prefix}.port`) : draft.labelAt(within);
  if (label !== undefined && within !== '') return `${draft.called(label)}: ${message}`;
  return within === '' ? message : `${within}: ${message}`;
}

/** Routes of hosts that may be declared. */
function checkHosts(routes: readonly RouteSettings[], { allow }: DeclareSourceSettings, draft: Draft): void {
  const { hosts } = allow;
  if (hosts === undefined) return;
  for (const [index, { host }] of routes.entries()) {
    if (host !== undefined && hostIsAmong(host, hosts)) continue;
    const label = draft.labelAt(`routes[${index}].host`) ?? draft.labelAt(`routes[${index}]`) ?? 'route';
    const found = host === undefined ? 'any host' : host;
    draft.refuse(label, `expected a host that declare.allow.hosts names (${hosts.join(', ')}), found ${found}`);
  }
}
