import type { Declaration, DeclarationStatus, DeclareSettings } from '../../model/declarations.ts';
import type { ServiceSettings, Settings } from '../../model/settings.ts';
import { leadsTo } from '../check/groups.ts';
import { withHosts } from '../load/assemble.ts';
import { existingContainer } from '../schema/run.ts';
import { hostIsAmong } from './host-patterns.ts';
import { type DeclarationReading, readDeclaration } from './read-declaration.ts';
import { RouteOwners } from './route-owners.ts';

/** What the file and all declarations come to. */
export interface Merged {
  /** The file's own where nothing is declared. */
  settings: Settings;
  /** Every declaration, in the order in which they hold. */
  standing: DeclarationStatus[];
  /** Declared services that hold, by the ids of their declarations. */
  inForce: ReadonlyMap<string, ServiceSettings>;
  /** What was right of each last, by its id: it holds while what is said now is wrong. */
  right: ReadonlyMap<string, Declaration>;
}

/** What reads a declaration by the rules of a file; the same object is read once. */
export type Reader = (declaration: Declaration) => DeclarationReading | undefined;

/** Reads declarations by the rules of this file, each once. */
export function createReader(file: Settings): Reader {
  const known = new WeakMap<Declaration, { reading: DeclarationReading | undefined }>();
  return (declaration) => {
    let entry = known.get(declaration);
    if (entry === undefined) {
      const { declare } = file;
      entry = { reading: declare && readDeclaration(declaration, declare, file) };
      known.set(declaration, entry);
    }
    return entry.reading;
  };
}

/** One name for a declaration over all sources. */
export function idOf({ source, key }: Declaration): string {
  return `${source} ${key}`;
}

/**
 * Puts declared services under those of the file. The file wins, then the older declaration; what is wrong with one, or
 * taken, keeps it out as a whole. One that was right before holds as it was while it is wrong, as far as the file allows
 * it now.
 * @param former what was right of each last, by its id
 */
export function mergeDeclarations(
  file: Settings,
  declarations: readonly Declaration[],
  former: ReadonlyMap<string, Declaration>,
  read: Reader,
): Merged {
  const { declare } = file;
  if (declare === undefined) return { settings: file, standing: [], inForce: new Map(), right: new Map() };
  const places = new Places(file);
  const standing: DeclarationStatus[] = [];
  const inForce = new Map<string, ServiceSettings>();
  const right = new Map<string, Declaration>();
  for (const declaration of declarations.toSorted(byAge)) {
    const reading = read(declaration);
    if (reading === undefined) continue;
    const { source, title } = declaration;
    const id = idOf(declaration);
    const remarks = [...reading.remarks];
    const before = reading.service === undefined ? former.get(id) : undefined;
    if (before !== undefined) right.set(id, before);
    // By the rules of now: what they do not allow any more holds no longer.
    const service = reading.service ?? (before && read(before)?.service);
    const told = { source, title, service: service?.name ?? reading.name, remarks };
    const problems = [...reading.problems];
    if (service === undefined) {
      standing.push({ ...told, state: 'refused', problems });
      continue;
    }
    const conflicts = places.conflictsOf(service, isNamed(declaration, declare));
    if (conflicts.length > 0) standing.push({ ...told, state: 'conflict', problems: [...problems, ...conflicts] });
    else if (inForce.size >= declare.maxServices) {
      const most = `expected at most declare.maxServices (${declare.maxServices}) services; older ones are there`;
      standing.push({ ...told, state: 'over budget', problems: [...problems, most] });
    } else {
      places.add(service, title);
      inForce.set(id, service);
      if (before === undefined) right.set(id, declaration);
      standing.push({ ...told, state: problems.length > 0 ? 'former' : 'in force', problems });
    }
  }
  return { settings: withServices(file, declarations, inForce), standing, inForce, right };
}

function byAge(one: Declaration, other: Declaration): number {
  return one.since - other.since || (one.order ?? 0) - (other.order ?? 0) || (idOf(one) < idOf(other) ? -1 : 1);
}

/** Whether the operator named a host as one that may be declared. */
function isNamed({ source }: Declaration, { sources }: DeclareSettings): (host: string | undefined) => boolean {
  const hosts = sources[source]?.allow.hosts;
  return (host) => host !== undefined && hosts !== undefined && hostIsAmong(host, hosts);
}

/** What is taken: names, routes, and containers that can only be run once. */
class Places {
  readonly #names = new Map<string, string>();
  readonly #containers = new Map<string, string>();
  /** Groups of the file: whoever joined one could keep its services awake. */
  readonly #groups: ReadonlySet<string | undefined>;
  readonly #routes: RouteOwners;

  constructor({ services }: Settings) {
    this.#routes = new RouteOwners(services);
    this.#groups = new Set(services.map(({ group }) => group));
    for (const service of services) this.#take(service, `service ${service.name} of the file`);
  }

  add(service: ServiceSettings, owner: string): void {
    this.#take(service, owner);
    this.#routes.add(service.routes, owner);
  }

  conflictsOf({ name, routes, run, group }: ServiceSettings, isNamed: (host: string | undefined) => boolean): string[] {
    const container = existingContainer(run);
    const [named, contained] = [this.#names.get(name), container && this.#containers.get(container)];
    return [
      ...(named === undefined ? [] : [`the name ${name} belongs to ${named}`]),
      ...(contained === undefined ? [] : [`the container ${container} belongs to ${contained}`]),
      ...(group !== undefined && this.#groups.has(group) ? [`the group ${group} belongs to the file`] : []),
      ...routes.flatMap((route) => this.#routes.conflictOf(route, isNamed(route.host)) ?? []),
    ];
  }

  #take({ name, run }: ServiceSettings, owner: string): void {
    this.#names.set(name, owner);
    const container = existingContainer(run);
    if (container !== undefined) this.#containers.set(container, owner);
  }
}

function withServices(
  file: Settings,
  declarations: readonly Declaration[],
  inForce: ReadonlyMap<string, ServiceSettings>,
): Settings {
  if (inForce.size === 0) return file;
  const { declare } = file;
  const services = [...file.services, ...inGroups([...inForce.values()])];
  // A stranger's hosts must not use up what an authority grants: only those that the operator named are ordered for.
  const certified = declarations.flatMap((declaration) => {
    const service = inForce.get(idOf(declaration));
    const isBounded = declare?.sources[declaration.source]?.allow.hosts !== undefined;
    return service !== undefined && isBounded ? service : [];
  });
  const listen = file.listen.map((listener) => withHosts(listener, [...file.services, ...certified]));
  return Object.freeze({ ...file, listen, services });
}

/** Declared services without those to start after that are not there, not in their group, or start after themselves. */
function inGroups(services: readonly ServiceSettings[]): ServiceSettings[] {
  const known = new Map(
    services.map((service) => [service.name, { group: service.group, after: service.after ?? [] }]),
  );
  for (const [name, entry] of known) {
    const kept = entry.after.filter((other) => known.get(other)?.group === entry.group);
    entry.after = kept.filter((other) => !leadsTo(other, name, known));
  }
  return services.map((service) => {
    const after = known.get(service.name)?.after;
    const isSame = service.after === undefined || after?.length === service.after.length;
    return isSame ? service : Object.freeze({ ...service, after });
  });
}
