import type { Registrar, Registration } from '../../model/discovery.ts';
import type { HostPort, ServiceSettings, Settings } from '../../model/settings.ts';
import { type ControlContext, detached } from '../context.ts';
import type { Registrations } from './registration.ts';
import { edgeRegistrations, replicaRegistration, replicaRegistrationId } from './registration-names.ts';

/** What an entry says of a replica. */
interface ListedReplica {
  readonly ordinal: number;
  readonly spec: { readonly service: string };
  readonly isLive: boolean;
  /** Where it listens; undefined unless it runs. */
  readonly address: HostPort | undefined;
}

/**
 * What Pilotlight lists of itself in a service catalogue, as the configuration says: the proxy under the name of every
 * service, the replicas that serve, or nothing.
 */
export class Catalog {
  readonly #context: ControlContext;
  readonly #registrar: Registrar | undefined;
  readonly #registrations: Registrations;
  readonly #settings: () => Settings;

  /** @param registrar undefined: nothing is listed */
  constructor(
    context: ControlContext,
    registrar: Registrar | undefined,
    registrations: Registrations,
    settings: () => Settings,
  ) {
    this.#context = context;
    this.#registrar = registrar;
    this.#registrations = registrations;
    this.#settings = settings;
  }

  /** Lists the proxy; what it was listed as before, and is not any more, is taken out. */
  putProxy(before?: Settings): void {
    const entries = this.#proxyEntries(this.#settings());
    if (before !== undefined) {
      const ids = new Set(entries.map(({ id }) => id));
      for (const { id } of this.#proxyEntries(before)) if (!ids.has(id)) this.#registrations.drop(id);
    }
    for (const entry of entries) this.#registrations.put(entry);
  }

  /** Takes the proxy out. */
  dropProxy(): void {
    for (const { id } of this.#proxyEntries(this.#settings())) this.#registrations.drop(id);
  }

  /** Lists a replica that serves. */
  putReplica(service: ServiceSettings, { ordinal, address }: ListedReplica): void {
    if (address === undefined || this.#registrar === undefined) return;
    const entry = replicaRegistration(this.#registrar, service, this.#context.instance, ordinal, address.port);
    if (entry !== undefined) this.#registrations.put(entry);
  }

  /** Takes a replica out. */
  dropReplica(replica: ListedReplica): void {
    this.#registrations.drop(this.#idOf(replica));
  }

  /**
   * Takes out what an earlier run left behind.
   * @param replicas those of all services: what lives may be listed though it has not been listed anew yet
   */
  dropOrphans(replicas: () => readonly ListedReplica[]): void {
    const keep = () => new Set(replicas().flatMap((replica) => (replica.isLive ? this.#idOf(replica) : [])));
    detached(this.#context, 'orphans', this.#registrations.dropOrphans(keep));
  }

  #proxyEntries(settings: Settings): Registration[] {
    return this.#registrar === undefined ? [] : edgeRegistrations(this.#registrar, settings, this.#context.instance);
  }

  #idOf({ spec, ordinal }: ListedReplica): string {
    return replicaRegistrationId(this.#context.instance, spec.service, ordinal);
  }
}
