import type { Path } from '../read/path.ts';

const ONE_TAG = 'several tags are written as a list: tag: [live, public] takes the entries that have all of them';
const OWN_DATACENTER = 'the datacenter is that of the agent at consul.address: another one is not supported';
const NAMESPACE = 'namespaces and partitions are not supported: those of the agent and of its token hold';
const FILTER = 'filter expressions are not supported: entries are chosen by service and tag';

/** Keys that people try below `endpoints.consul`, and what there is instead. */
const CONSUL: Record<string, string> = {
  tags: ONE_TAG,
  datacenter: OWN_DATACENTER,
  datacenters: OWN_DATACENTER,
  dc: OWN_DATACENTER,
  namespace: NAMESPACE,
  ns: NAMESPACE,
  partition: NAMESPACE,
  filter: FILTER,
  meta: FILTER,
  'node-meta': FILTER,
  near: FILTER,
  query: 'prepared queries are not supported: name the service itself',
  passing: 'entries with a critical check get nothing in any case',
  address: 'the address of Consul stands once for all services, in the section consul at the top',
  token: 'the token for Consul stands once for all services, in the section consul at the top',
};

/** What there is instead of a key that people expect at a path; undefined where nothing is known of it. */
export function notSupported(path: Path): string | undefined {
  const [key, section, above] = [path.at(-1), path.at(-2), path.at(-3)];
  if (section !== 'consul' || above !== 'endpoints' || typeof key !== 'string') return undefined;
  return Object.hasOwn(CONSUL, key) ? `unknown key: ${CONSUL[key]}` : undefined;
}
