import type { ConsulService } from './settings.ts';

/** A part of Consul that has a catalogue of its own; what is undefined is the agent's, or its token's. */
export interface ConsulScope {
  datacenter?: string | undefined;
  namespace?: string | undefined;
  partition?: string | undefined;
}

/** One question about one service. What several services ask is asked once. */
export interface ConsulTarget extends ConsulScope {
  service: string;
  filter?: string | undefined;
  near?: string | undefined;
  /** Name of the port that is wanted. */
  port?: string | undefined;
}

/** What has to be asked for a service: one question for each of its datacenters, in their order. */
export function targetsOf({ service, datacenters = [], ...rest }: ConsulService): ConsulTarget[] {
  const { namespace, partition, filter, near, port } = rest;
  const target = { service, namespace, partition, filter, near, port };
  return datacenters.length === 0 ? [target] : datacenters.map((datacenter) => ({ ...target, datacenter }));
}

/** What is asked for. */
export interface ConsulQuestion {
  /** Absolute path, encoded, without a query string. */
  path: string;
  /** Parts of the query string, encoded: `dc=dc2`. */
  parameters?: readonly string[];
}

/** The same text for the same question. */
export function keyOf({ service, filter, near, port, ...scope }: ConsulTarget): string {
  return JSON.stringify([service, scopeKeyOf(scope), filter, near, port]);
}

/** The same text for the same part. */
export function scopeKeyOf({ datacenter, namespace, partition }: ConsulScope): string {
  return JSON.stringify([datacenter, namespace, partition]);
}

/** For log lines: `service shop in dc2`. */
export function titleOf(target: ConsulTarget): string {
  return `service ${target.service}${placeOf(target)}`;
}

/** For log lines: ` in dc2, namespace shops`; nothing for the agent's own part. */
export function placeOf({ datacenter, namespace, partition }: ConsulScope): string {
  const parts = [
    datacenter ?? [],
    namespace === undefined ? [] : `namespace ${namespace}`,
    partition === undefined ? [] : `partition ${partition}`,
  ].flat();
  return parts.length === 0 ? '' : ` in ${parts.join(', ')}`;
}

/** What is asked about a part, for the query string. */
export function scopeParameters({ datacenter, namespace, partition }: ConsulScope): string[] {
  return parametersOf({ dc: datacenter, ns: namespace, partition });
}

/**
 * Asks for all entries of a service, whatever their checks say: judging them here tells "none is healthy" from "none is
 * listed".
 */
export function questionOf(target: ConsulTarget): ConsulQuestion {
  const { service, filter, near } = target;
  const parameters = [...scopeParameters(target), ...parametersOf({ filter, near })];
  return { path: `/v1/health/service/${encodeURIComponent(service)}`, parameters };
}

function parametersOf(values: Record<string, string | undefined>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${encodeURIComponent(value)}`,
  );
}
