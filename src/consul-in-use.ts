/** Consul, as far as the settings have it in use: what is found there, what is registered there, and by which token. */
import { createConsulLock } from './discovery/consul/lock.ts';
import { createConsulRegistrar } from './discovery/consul/registrar.ts';
import type { ConsulSettings } from './discovery/consul/settings.ts';
import { createSharedValues } from './discovery/consul/shared-values.ts';
import { createConsulSource } from './discovery/consul/source.ts';
import { TokenFile } from './discovery/consul/token-file.ts';
import type { LeaderLock, MemberRecord, SharedValues } from './model/cluster.ts';
import type { Registrar } from './model/discovery.ts';
import type { Logger } from './model/observe.ts';
import type { Clock } from './util/clock.ts';

interface ConsulOptions {
  settings: ConsulSettings;
  /** The token of the configuration that is in force, where none is in a file of its own. */
  token: () => string | undefined;
  clock: Clock;
  logger: Logger;
  instance: string;
}

interface ConsulInUse {
  source: ReturnType<typeof createConsulSource>;
  /** Another one, for another control plane. */
  openSource(): ReturnType<typeof createConsulSource>;
  /** The lock of a cluster. */
  openLock(cluster: { name: string; ttlMs: number }, self: Omit<MemberRecord, 'index'>): LeaderLock;
  /** What a cluster keeps beside the lock. */
  openValues(cluster: { name: string }): SharedValues;
  /** undefined: nothing is registered. */
  registrar: Registrar | undefined;
  /** Calls when the token's file has another one. */
  onNewToken(take: () => void): void;
  close(): void;
}

/** @throws DISCOVERY_FAILED when an address is no URL */
export function useConsul(options: ConsulOptions): ConsulInUse {
  const { settings } = options;
  const { tokenFile: path } = settings;
  const file = path === undefined ? undefined : new TokenFile({ ...options, path });
  const common = { ...options, token: file === undefined ? options.token : () => file.token };
  return {
    source: createConsulSource(common),
    openSource: () => createConsulSource(common),
    openLock: ({ name, ttlMs }, self) => createConsulLock({ ...common, name, ttlMs, self }),
    openValues: ({ name }) => createSharedValues({ ...common, name }),
    registrar: settings.register === false ? undefined : createConsulRegistrar(common),
    onNewToken: (take) => file?.follow(take),
    close: () => file?.close(),
  };
}
