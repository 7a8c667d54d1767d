import { isIP } from 'node:net';
import type { ListedInstance } from '../../model/catalog.ts';
import type { DiscoveredEndpoint, UnusedEndpoint } from '../../model/discovery.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { HostPort } from '../../model/settings.ts';
import { hostPort } from '../../util/host-port.ts';
import type { ConsulChoice } from './settings.ts';
import { withShares } from './shares.ts';

/** One instance of a service as Consul lists it; its identity is node and service id together. */
export interface Instance extends HostPort {
  node: string;
  id: string;
  tags: string[];
  /** The worst of its checks and of those of its node; maintenance of either counts before them. */
  health: Health;
  /** Relative share in this state, 1 = normal; 0 = only while there is no other. */
  weight: number;
  /** Its node's place by nearness, from 0; absent where nobody asked for it. */
  rank?: number;
}

type Health = 'passing' | 'warning' | 'critical' | 'maintenance';

/** An entry that makes no sense. */
export interface BadEntry {
  /** Tells it from other entries; fit for a log line. */
  name: string;
  reason: string;
}

/** How entries are read. */
interface Reading {
  /** Name of the port that is wanted; undefined: the port of the entry. */
  port?: string | undefined;
  /** Given where the list is in order of nearness. */
  near?: string | undefined;
}

/** Which instances may be used now, and which may not. */
interface Chosen {
  endpoints: DiscoveredEndpoint[];
  unused: UnusedEndpoint[];
}

interface EntryList {
  /** In order of identity. */
  instances: Instance[];
  bad: BadEntry[];
}

/** Ids of all entries that a Pilotlight registers begin so. */
export const OWN_ID_PREFIX = 'pilotlight-';
/** Key of their metadata; its value is the instance. */
export const OWN_META_KEY = 'pilotlight';

const MAINTENANCE = /^_(node|service)_maintenance(:|$)/;
const NAME = /^[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?\.?$/i;
/** The address of no host in whatever spelling, and numbers that resolvers take for an address (`0`, `0x7f.1`). */
const NO_HOST = /^(?:[0:]+|[0:]*(?:ffff:)?0\.0\.0\.0|[0:]*:ffff:[0:]+)$/i;
const NUMBER_AT_END = /(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$/i;
/** Consul's own limit; sums of what is beyond are no numbers any more. */
const MAX_WEIGHT = 65_535;

/**
 * Reads the answer of `/v1/health/service/NAME` (all entries, whatever their checks say). Entries that a Pilotlight
 * registered are left out.
 * @throws DISCOVERY_FAILED when it is no list
 */
export function readEntries(body: unknown, { port, near }: Reading = {}): EntryList {
  if (!Array.isArray(body)) throw new PilotlightError('DISCOVERY_FAILED', 'sends something that is not a list');
  const instances: Instance[] = [];
  const bad: BadEntry[] = [];
  const ranks = new Map<string, number>();
  for (const entry of body) {
    const { Node: node, Service: service, Checks: checks } = fields(entry);
    if (isOwn(fields(service))) continue;
    const instance = readInstance(fields(node), fields(service), checks ?? [], port);
    if ('reason' in instance) {
      bad.push(instance);
      continue;
    }
    instances.push(instance);
    if (near === undefined) continue;
    if (!ranks.has(instance.node)) ranks.set(instance.node, ranks.size);
    instance.rank = ranks.get(instance.node) as number;
  }
  return { instances: inOrder(instances), bad };
}

/** Of an instance, among all of its service. */
export function identityOf({ node, id }: Instance): string {
  return `${node}\n${id}`;
}

/** In order of identity, each once. */
export function inOrder(instances: readonly Instance[]): Instance[] {
  const byIdentity = new Map(instances.map((instance) => [identityOf(instance), instance]));
  return [...byIdentity.keys()].sort().map((identity) => byIdentity.get(identity) as Instance);
}

/**
 * The instances with all tags, merged by address, in order of address. Those that are not on the nearest node that has a
 * usable one stand by.
 */
export function endpointsOf(
  instances: readonly Instance[],
  { tags = [], warning = 'use', shares }: ConsulChoice,
): Chosen {
  const endpoints = new Map<string, DiscoveredEndpoint>();
  const unused = new Map<string, UnusedEndpoint>();
  const wanted = instances.filter((instance) => tags.every((tag) => instance.tags.includes(tag)));
  const isUsable = ({ health }: Instance) => health === 'passing' || (health === 'warning' && warning !== 'refuse');
  const usable = wanted.filter(isUsable);
  const ownWeight = ({ health, weight }: Instance) => (health === 'warning' && warning === 'avoid' ? 0 : weight);
  const weightOf = withShares(usable, ownWeight, shares);
  const nearest = nearestOf(usable.filter((instance) => weightOf(instance) > 0)) ?? nearestOf(usable);
  for (const instance of usable) {
    const { host, port, rank } = instance;
    const key = hostPort(instance);
    const known = endpoints.get(key);
    const isBackup = rank !== nearest && known?.backup !== false;
    const weight = Math.max(weightOf(instance), known?.weight ?? 0);
    endpoints.set(key, { host, port, weight, ...(nearest === undefined ? {} : { backup: isBackup }) });
  }
  for (const instance of wanted) {
    const { host, port, health } = instance;
    const key = hostPort(instance);
    if (endpoints.has(key)) continue;
    unused.set(key, { host, port, reason: health === 'maintenance' ? 'maintenance' : 'unhealthy' });
  }
  return { endpoints: inOrderOfKey(endpoints), unused: inOrderOfKey(unused) };
}

function nearestOf(instances: readonly Instance[]): number | undefined {
  const ranks = instances.map(({ rank }) => rank).filter((rank) => rank !== undefined);
  return ranks.length === 0 ? undefined : Math.min(...ranks);
}

function inOrderOfKey<Value>(map: ReadonlyMap<string, Value>): Value[] {
  return [...map.keys()].sort().map((key) => map.get(key) as Value);
}

type Fields = Record<string, unknown>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

/** Anybody may use the one or the other for something of theirs. */
function isOwn({ ID: id, Meta: meta }: Fields): boolean {
  const instance = Object.hasOwn(fields(meta), OWN_META_KEY) && fields(meta)[OWN_META_KEY];
  return typeof id === 'string' && typeof instance === 'string' && id.startsWith(`${OWN_ID_PREFIX}${instance}-`);
}

function readInstance(node: Fields, service: Fields, checks: unknown, portName?: string): Instance | BadEntry {
  const { Node: nodeName, Address: nodeAddress } = node;
  const { ID: id, Address: ownAddress, Tags: tags, Weights: weights } = service;
  const name = `${shown(id) ?? 'an entry without id'} on node ${shown(nodeName) ?? 'unknown'}`;
  if (typeof nodeName !== 'string' || typeof id !== 'string') return { name, reason: 'it has no identity' };
  const named = portName === undefined ? { port: service['Port'] } : namedPort(service, portName);
  if (named === undefined) return { name, reason: `it has no port ${portName}` };
  const { port, address = ownAddress } = named;
  const host = typeof address === 'string' && address !== '' ? address : nodeAddress;
  if (!isPort(port))
    return { name, reason: `its port ${portName === undefined ? '' : `${portName} `}is ${shown(port)}` };
  if (!isHost(host)) return { name, reason: `its address is ${shown(host)}` };
  if (!Array.isArray(checks)) return { name, reason: 'its checks are no list' };
  const health = healthOf(checks);
  return { node: nodeName, id, host, port, tags: textsOf(tags), health, weight: weightOf(fields(weights), health) };
}

/**
 * A port by its name, wherever an entry may say it: among its ports, as a tagged address of its own, or in its metadata as
 * `NAME_port`; undefined where it says nothing.
 */
function namedPort({ Ports: ports, TaggedAddresses: tagged, Meta: meta }: Fields, name: string) {
  const one = Array.isArray(ports) ? ports.map(fields).find((each) => each['Name'] === name) : undefined;
  if (one !== undefined) return { port: one['Port'] };
  if (Object.hasOwn(fields(tagged), name)) {
    const { Address: address, Port: port } = fields(fields(tagged)[name]);
    return { port, address };
  }
  const key = `${name}_port`;
  if (!Object.hasOwn(fields(meta), key)) return undefined;
  const text = fields(meta)[key];
  return { port: typeof text === 'string' && /^\d{1,5}$/.test(text) ? Number(text) : text };
}

function textsOf(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((text) => typeof text === 'string') : [];
}

/** A value for a log line. Of lists and objects only that: they may be nested deeper than can be written. */
function shown(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** The worst of the checks of the node (such as serfHealth) and of the service. */
function healthOf(checks: readonly unknown[]): Health {
  let health: Health = 'passing';
  for (const check of checks) {
    const { CheckID: id, Status: status } = fields(check);
    if (typeof id === 'string' && MAINTENANCE.test(id)) return 'maintenance';
    if (health === 'critical' || status === 'passing') continue;
    health = status === 'warning' ? 'warning' : 'critical';
  }
  return health;
}

/** A warning keeps an instance in use, as in Consul's own DNS, at the weight given for that case. */
function weightOf(weights: Fields, health: Health): number {
  const { Passing: passing, Warning: warning } = weights;
  const weight = health === 'warning' ? warning : passing;
  return typeof weight === 'number' && weight >= 0 ? Math.min(weight, MAX_WEIGHT) : 1;
}

function isPort(port: unknown): port is number {
  return typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65535;
}

/** An address of no particular host would lead back to this machine. */
function isHost(host: unknown): host is string {
  if (typeof host !== 'string' || NO_HOST.test(host)) return false;
  return isIP(host) !== 0 || (NAME.test(host) && !NUMBER_AT_END.test(host));
}

/**
 * Reads the same answer for whoever wants to know what instances say of themselves; entries that make no sense, and those
 * that a Pilotlight registered, are left out.
 * @throws DISCOVERY_FAILED when it is no list
 */
export function readListed(body: unknown): ListedInstance[] {
  if (!Array.isArray(body)) throw new PilotlightError('DISCOVERY_FAILED', 'sends something that is not a list');
  return body.flatMap((entry) => {
    const { Node: node, Service: service, Checks: checks } = fields(entry);
    const { Node: nodeName } = fields(node);
    const { ID: id, Tags: tags, Meta: meta, CreateIndex: made, ModifyIndex: changed } = fields(service);
    if (typeof nodeName !== 'string' || typeof id !== 'string' || isOwn(fields(service))) return [];
    const health = Array.isArray(checks ?? []) ? healthOf((checks ?? []) as unknown[]) : 'critical';
    const isUsable = health === 'passing' || health === 'warning';
    const texts = Object.entries(fields(meta)).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    const listed = { id, node: nodeName, tags: textsOf(tags), meta: Object.fromEntries(texts), isUsable };
    return [{ ...listed, madeAt: Number(made) || 0, changedAt: Number(changed) || 0 }];
  });
}
