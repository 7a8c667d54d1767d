import { PilotlightError } from '../../model/errors.ts';

/** Fingerprints of the checks, to tell what changed. */
interface CheckTable {
  /** By service: the checks of its instances. */
  services: ReadonlyMap<string, string>;
  /** By node: the checks of the node itself, which count for every service on it. */
  nodes: ReadonlyMap<string, string>;
}

/** Reads the answer of `/v1/health/state/any`. @throws DISCOVERY_FAILED when it is no list */
export function readChecks(body: unknown, services: ReadonlySet<string>): CheckTable {
  if (!Array.isArray(body)) throw new PilotlightError('DISCOVERY_FAILED', 'sends something that is not a list');
  const ofServices = new Map<string, string[]>();
  const ofNodes = new Map<string, string[]>();
  for (const check of body) {
    if (typeof check !== 'object' || check === null) continue;
    const {
      Node: node,
      CheckID: id,
      Status: status,
      ServiceID: serviceId,
      ServiceName: service,
      ServiceTags: tags,
    } = check;
    // An entry that was taken out and put back may have changed in between, though its check looks the same.
    const line = JSON.stringify([node, id, status, serviceId, tags, check.CreateIndex]);
    if (typeof service === 'string' && service !== '') {
      if (services.has(service)) append(ofServices, service, line);
    } else append(ofNodes, String(node), line);
  }
  return { services: joined(ofServices), nodes: joined(ofNodes) };
}

/** Reads the answer of `/v1/catalog/services`: tags by service. @throws DISCOVERY_FAILED when it is no object */
export function readCatalog(body: unknown, services: ReadonlySet<string>): ReadonlyMap<string, string> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new PilotlightError('DISCOVERY_FAILED', 'sends something that is not a catalog');
  }
  const table = new Map<string, string>();
  for (const [service, tags] of Object.entries(body)) {
    if (services.has(service)) table.set(service, JSON.stringify(Array.isArray(tags) ? tags.toSorted() : tags));
  }
  return table;
}

function append(table: Map<string, string[]>, key: string, line: string): void {
  const lines = table.get(key);
  if (lines === undefined) table.set(key, [line]);
  else lines.push(line);
}

function joined(table: Map<string, string[]>): Map<string, string> {
  return new Map([...table].map(([key, lines]) => [key, lines.sort().join('\n')]));
}
