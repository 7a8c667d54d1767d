import { PilotlightError } from '../../model/errors.ts';
import { diffLists } from './list-diff.ts';

/** Of which services, and of which nodes, checks differ. */
interface CheckChanges {
  services: ReadonlySet<string>;
  nodes: ReadonlySet<string>;
}

/**
 * Between two entries of a list as Consul writes it. Inside a text every quotation mark has a backslash before it, so
 * nothing but the border of two entries looks like this.
 */
const BORDER = Buffer.from('},{"Node":');
/** The same as an agent in development mode writes it; what is indented further is no entry. */
const INDENTED_BORDER = Buffer.from('},\n    {\n        "Node":');
const OPENING_BRACE = 0x7b;

/** The state of all checks, to tell what changed from one list to the next: only entries that differ are decoded. */
export class CheckTable {
  #entries: Buffer | undefined;

  /**
   * Takes a list over, which must stay as it is until the next one is taken over.
   * @param written the answer of `/v1/health/state/any`
   * @returns undefined for the first list
   * @throws DISCOVERY_FAILED when it is no list
   */
  take(written: Buffer): CheckChanges | undefined {
    const entries = entriesOf(written);
    const before = this.#entries;
    if (before === undefined) {
      // Later ones are compared, and only what differs is decoded.
      decode(entries.toString());
      this.#entries = entries;
      return undefined;
    }
    const diff = diffLists(before, entries, entries[0] === OPENING_BRACE ? BORDER : INDENTED_BORDER);
    const came = diff.came.flatMap(decode).map(readCheck);
    const gone = diff.gone.flatMap(decode).map(readCheck);
    this.#entries = entries;
    // What differs in what does not matter, such as the output of a check, looks the same before and after.
    const [linesBefore, linesNow] = [gone, came].map((checks) => new Set(checks.map(({ line }) => line)));
    const services = new Set<string>();
    const nodes = new Set<string>();
    for (const { line, service, node } of [...came, ...gone]) {
      if (linesBefore?.has(line) && linesNow?.has(line)) continue;
      if (service === '') nodes.add(node);
      else services.add(service);
    }
    return { services, nodes };
  }
}

/** What is between the brackets. */
function entriesOf(list: Buffer): Buffer {
  const [start, end] = [list.indexOf('['), list.lastIndexOf(']')];
  const around = end < start ? 'no list' : list.toString('latin1', 0, start) + list.toString('latin1', end + 1);
  if (start < 0 || around.trim() !== '') throw noList();
  return list.subarray(start + 1, end);
}

/** Mostly one entry; all of them where Consul writes them another way than it does today. */
function decode(entries: string): unknown[] {
  try {
    return JSON.parse(`[${entries}]`);
  } catch {
    throw noList();
  }
}

function readCheck(check: unknown): { line: string; service: string; node: string } {
  const fields = typeof check === 'object' && check !== null ? (check as Record<string, unknown>) : {};
  const { Node: node, CheckID: id, Status: status, ServiceID: serviceId, ServiceName: service } = fields;
  // An entry that was taken out and put back may have changed in between, though its check looks the same.
  const line = JSON.stringify([node, id, status, serviceId, service, fields['ServiceTags'], fields['CreateIndex']]);
  return { line, service: typeof service === 'string' ? service : '', node: String(node) };
}

function noList(): PilotlightError {
  return new PilotlightError('DISCOVERY_FAILED', 'sends something that is not a list');
}

/** Which services there are with which tags, to tell what changed from one answer to the next. */
export class ServiceTable {
  #written: Buffer | undefined;
  #services: ReadonlyMap<string, readonly string[]> | undefined;

  /** Sorted tags by service; undefined before the first answer. */
  get services(): ReadonlyMap<string, readonly string[]> | undefined {
    return this.#services;
  }

  /**
   * Takes an answer of `/v1/catalog/services` over, which must stay as it is until the next one is taken over.
   * @returns names that only one of the two has, or whose tags differ; undefined for the first answer
   * @throws DISCOVERY_FAILED when it is no object
   */
  take(written: Buffer): ReadonlySet<string> | undefined {
    const isSame = this.#written?.equals(written) === true;
    const before = this.#services;
    if (!isSame) this.#services = readServices(written);
    this.#written = written;
    if (isSame) return NONE;
    return before && new Set(differences(before, this.#services ?? before));
  }
}

const NONE: ReadonlySet<string> = new Set();

function readServices(written: Buffer): ReadonlyMap<string, readonly string[]> {
  let body: unknown;
  try {
    body = JSON.parse(written.toString());
  } catch (cause) {
    throw new PilotlightError('DISCOVERY_FAILED', 'sends an answer that is not JSON', cause);
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new PilotlightError('DISCOVERY_FAILED', 'sends something that is not a catalog');
  }
  const isText = (tag: unknown) => typeof tag === 'string';
  return new Map(
    Object.entries(body).map(([name, tags]) => [name, Array.isArray(tags) ? tags.filter(isText).sort() : []]),
  );
}

function differences(
  before: ReadonlyMap<string, readonly string[]>,
  now: ReadonlyMap<string, readonly string[]>,
): string[] {
  const names = new Set([...before.keys(), ...now.keys()]);
  return [...names].filter((name) => before.get(name)?.join('\n') !== now.get(name)?.join('\n'));
}
