import type { EndpointShare } from './balancing.ts';
import type { PilotlightError } from './errors.ts';
import type { MetricName } from './observe.ts';
import type { HostPort, ServiceSettings } from './settings.ts';
import type { SourceContact } from './sources.ts';

/** An address that a source knows for a service. */
export interface DiscoveredEndpoint extends HostPort, EndpointShare {
  /** Relative share, 1 = normal; 0 = only while no other is usable. */
  weight: number;
  /** Name that `host` was looked up from; absent: none was. */
  serverName?: string;
}

/** An address that a source lists, and says itself that it is not to be used. */
export interface UnusedEndpoint extends HostPort {
  reason: 'unhealthy' | 'maintenance';
}

/** All that one source knows of one service now: it replaces what the source said before. */
export interface EndpointSet {
  service: string;
  /** Name of the source. */
  source: string;
  endpoints: DiscoveredEndpoint[];
  /** Told to operators alone; absent: there are none, or the source cannot say. */
  unused?: readonly UnusedEndpoint[];
}

/** What a source is to look for, for one service. */
export interface DiscoveryQuery<Sought extends object = object> {
  service: string;
  /** What the service's `endpoints` say of the source. */
  sought: Sought;
}

/** What a source may not see. */
export interface Denial {
  /** For the operator. */
  message: string;
  /** The clock's ms. */
  since: number;
}

/** Follows endpoints and pushes whole sets. Entries that Pilotlight itself registered are never among them. */
export interface DiscoverySource {
  /** As in the `endpoints` of services: it follows those that name it. */
  readonly name: string;
  /** What people call it, in messages that strangers may read. */
  readonly title: string;
  /** The gauge of how old what it said last is; absent where that does not grow old. */
  readonly stalenessGauge?: MetricName;
  /** Follows exactly these services from now on: new ones are added, missing ones dropped, unchanged ones left alone. */
  follow(queries: DiscoveryQuery[]): void;
  /** Pushes sets until aborted. Called once. */
  run(emit: (set: EndpointSet) => void, signal: AbortSignal): void;
  /** Whether every followed service had a first answer. */
  answered(): boolean;
  /** Age of what is known of a service, ms: 0 while the source is in touch; undefined before the first answer. */
  staleness(service: string): number | undefined;
  /** Why the source is not in touch, in one line, where it knows. */
  trouble?(): PilotlightError | undefined;
  /** Whom it asks; absent where that is nobody. */
  contact?(): SourceContact;
  /** What the source may not see of a service; undefined where that is nothing, or not known. */
  denial?(service: string): Denial | undefined;
}

/** An entry in a service catalogue. */
export interface Registration extends HostPort {
  id: string;
  name: string;
  tags: string[];
}

/** Puts entries into a service catalogue and takes them out. */
export interface Registrar {
  /** What people call the catalogue. */
  readonly title: string;
  /** What is to be in it: the proxy, under the name of every service, or the replicas that serve. */
  readonly lists: 'edge' | 'replicas';
  /** Host or host:port under which others reach it; undefined: nothing is put in. */
  readonly advertise: string | undefined;
  /** How others look a service up. */
  listingOf(service: ServiceSettings): { name: string; tags: string[] };
  /** @throws DISCOVERY_UNREACHABLE, DISCOVERY_FAILED */
  register(entry: Registration, signal: AbortSignal): Promise<void>;
  deregister(id: string, signal: AbortSignal): Promise<void>;
  /** Ids of the entries that this instance registered (prefix `pilotlight-<instance>-`). */
  registered(signal: AbortSignal): Promise<string[]>;
}
