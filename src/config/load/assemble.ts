import { resolve } from 'node:path';
import type { WrittenOptions } from '../../model/declarations.ts';
import type { ListenSettings, ServiceSettings, Settings, TcpSettings } from '../../model/settings.ts';
import { acmeHosts } from '../check/acme-hosts.ts';
import type { Complete } from '../check/validate.ts';
import { resolvePaths } from '../option/resolve-paths.ts';
import { configSchema } from '../schema/config.ts';
import { partSettings, type Uses } from '../schema/parts.ts';
import { startedBy } from '../schema/run.ts';
import { mostReplicas } from '../schema/scale.ts';
import { onExit, type ServiceConfig, serviceSchema } from '../schema/service.ts';
import { freeze, Pool } from './compact.ts';
import type { EnvironmentDefaults } from './environment.ts';

/**
 * Settings from a checked configuration, frozen: what the sections yielded, and what hangs on several of them, on the
 * environment or on where the file is.
 * @param folder of the configuration file: what relative paths count from
 */
export function assemble(
  { sections, services, defaults: shared }: Complete,
  uses: Uses,
  defaults: EnvironmentDefaults,
  folder: string,
): Settings {
  const resolved = resolvePaths(configSchema, sections, folder);
  const {
    include,
    listen,
    trustedProxies,
    accessLog,
    traces,
    admin,
    workers,
    cluster,
    state,
    budget,
    prices,
    declare,
  } = resolved;
  const { file } = accessLog;
  const { endpoint } = traces;
  const pool = new Pool();
  const tcp = new Set(listen.flatMap((listener) => servicesOf(listener.tcp)));
  return freeze({
    ...(include === undefined ? {} : { include: [include].flat().map((pattern) => resolve(folder, pattern)) }),
    listen: listen.map((listener) => withHosts(listener, [...services.values()])),
    trustedProxies,
    accessLog: file === undefined ? undefined : { ...accessLog, file },
    ...(endpoint === undefined ? {} : { traces: { ...traces, endpoint } }),
    admin,
    workers,
    ...clusterSettings(cluster),
    state: state ?? defaults.state,
    parts: partSettings(resolved, uses, defaults.parts),
    budget,
    prices,
    declare:
      Object.keys(declare.sources).length === 0
        ? undefined
        : { ...declare, defaults: shared as WrittenOptions, folder },
    services: [...services].map(([name, service]) => {
      return pool.share(
        serviceSettings(
          name,
          resolvePaths(serviceSchema, service, folder),
          tcp.has(name) || (service.routes.length === 0 && service.group !== undefined),
        ),
      );
    }),
  });
}

/** What makes this proxy one of several; nothing where it acts alone. */
function clusterSettings({
  name,
  advertise,
  secret,
  address,
  ttlMs,
  leaseMs,
}: Complete['sections']['cluster']): Pick<Settings, 'cluster'> {
  if (name === undefined || advertise === undefined || secret === undefined) return {};
  return { cluster: { name, advertise, secret, ...(address && { address }), ttlMs, leaseMs } };
}

/** A listener for whose hosts certificates are ordered, with these hosts. */
export function withHosts(
  listener: ListenSettings,
  services: readonly Pick<ServiceSettings, 'routes'>[],
): ListenSettings {
  const { name, tls } = listener;
  if (tls?.acme === undefined) return listener;
  const { exact } = acmeHosts(name, services);
  return { ...listener, tls: { ...tls, acme: { ...tls.acme, hosts: exact } } };
}

function servicesOf(tcp: TcpSettings | undefined): string[] {
  return [tcp?.service ?? [], tcp?.sni.map(({ service }) => service) ?? []].flat();
}

/** What a service of a file, or one that declares itself, comes to. @param isTcp whether no routes lead to it */
export function serviceSettings(name: string, service: ServiceConfig, isTcp: boolean): ServiceSettings {
  const { run, scale } = service;
  return {
    name,
    ...service,
    run: run && startedBy(run),
    scale: { ...scale, max: mostReplicas(service) },
    onExit: onExit(service),
    // There are thousands of services, of which few are of TCP.
    ...(isTcp ? tcpSettings(service) : {}),
  };
}

/** What a service of TCP has in place of what defaults say of HTTP. */
function tcpSettings({
  ready,
  health,
  upstream,
}: ServiceConfig): Required<Pick<ServiceSettings, 'isTcp' | 'engine' | 'ready' | 'health' | 'upstream'>> {
  return {
    isTcp: true,
    engine: 'native',
    ready: ready.kind === 'http' ? { kind: 'tcp', timeoutMs: ready.timeoutMs } : ready,
    health: health && { ...health, check: { kind: 'connect' } },
    upstream: { ...upstream, protocol: 'http1', tls: undefined },
  };
}
