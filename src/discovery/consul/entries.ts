import { isIP } from 'node:net';
import type { ListedInstance } from '../../model/catalog.ts';
import type { DiscoveredEndpoint } from '../../model/discovery.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { HostPort } from '../../model/settings.ts';

/** One instance of a service as Consul lists it; its identity is node and service id together. */
export interface Instance extends HostPort {
  node: string;
  id: string;
  tags: string[];
  /** No check is critical, and neither it nor its node is in maintenance. */
  usable: boolean;
  /** Relative share, 1 = normal; 0 = only while there is no other. */
  weight: number;
}

/** An entry that makes no sense. */
export interface BadEntry {
  /** Tells it from other entries; fit for a log line. */
  name: string;
  reason: string;
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
export function readEntries(body: unknown): EntryList {
  if (!Array.isArray(body)) throw new PilotlightError('DISCOVERY_FAILED', 'sends something that is not a list');
  const instances: Instance[] = [];
  const bad: BadEntry[] = [];
  for (const entry of body) {
    const { Node: node, Service: service, Checks: checks } = fields(entry);
    if (isOwn(fields(service))) continue;
    const instance = readInstance(fields(node), fields(service), checks ?? []);
    if ('reason' in instance) bad.push(instance);
    else instances.push(instance);
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

/** The usable instances with the tag, or with all of several (all without one), merged by address, in order of address. */
export function endpointsOf(
  instances: readonly Instance[],
  tag: string | readonly string[] | undefined,
): DiscoveredEndpoint[] {
  const wanted = tag === undefined ? [] : [tag].flat();
  const endpoints = new Map<string, DiscoveredEndpoint>();
  for (const { host, port, weight, usable, tags } of instances) {
    if (!usable || !wanted.every((each) => tags.includes(each))) continue;
    const key = `${host} ${port}`;
    endpoints.set(key, { host, port, weight: Math.max(weight, endpoints.get(key)?.weight ?? 0) });
  }
  const order = [...endpoints.keys()].sort();
  return order.map((key) => endpoints.get(key) as DiscoveredEndpoint);
}

type Fields = Record<string, unknown>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function isOwn(service: Fields): boolean {
  const { ID: id, Meta: meta } = service;
  return (typeof id === 'string' && id.startsWith(OWN_ID_PREFIX)) || Object.hasOwn(fields(meta), OWN_META_KEY);
}

function readInstance(node: Fields, service: Fields, checks: unknown): Instance | BadEntry {
  const { Node: nodeName, Address: nodeAddress } = node;
  const { ID: id, Port: port, Address: ownAddress, Tags: tags, Weights: weights } = service;
  const name = `${shown(id) ?? 'an entry without id'} on node ${shown(nodeName) ?? 'unknown'}`;
  const host = typeof ownAddress === 'string' && ownAddress !== '' ? ownAddress : nodeAddress;
  if (typeof nodeName !== 'string' || typeof id !== 'string') return { name, reason: 'it has no identity' };
  if (!isPort(port)) return { name, reason: `its port is ${shown(port)}` };
  if (!isHost(host)) return { name, reason: `its address is ${shown(host)}` };
  if (!Array.isArray(checks)) return { name, reason: 'its checks are no list' };
  const health = healthOf(checks);
  const weight = weightOf(fields(weights), health);
  const usable = health !== 'critical';
  return { node: nodeName, id, host, port, tags: textsOf(tags), usable, weight };
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
function healthOf(checks: readonly unknown[]): 'passing' | 'warning' | 'critical' {
  let health: 'passing' | 'warning' = 'passing';
  for (const check of checks) {
    const { CheckID: id, Status: status } = fields(check);
    if (typeof id === 'string' && MAINTENANCE.test(id)) return 'critical';
    if (status === 'warning') health = 'warning';
    else if (status !== 'passing') return 'critical';
  }
  return health;
}

/** A warning keeps an instance in use, as in Consul's own DNS, at the weight given for that case. */
function weightOf(weights: Fields, health: 'passing' | 'warning' | 'critical'): number {
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
    const isUsable = Array.isArray(checks ?? []) && healthOf((checks ?? []) as unknown[]) !== 'critical';
    const texts = Object.entries(fields(meta)).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
    const listed = { id, node: nodeName, tags: textsOf(tags), meta: Object.fromEntries(texts), isUsable };
    return [{ ...listed, madeAt: Number(made) || 0, changedAt: Number(changed) || 0 }];
  });
}
