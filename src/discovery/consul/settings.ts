/** Where Consul is, what is registered there, and what is chosen of it for services that do not say otherwise. */
export interface ConsulSettings extends ConsulChoice {
  /** Origin, such as http://127.0.0.1:8500; of several agents all, the one that is asked first in front. */
  address: string | readonly string[];
  token: string | undefined;
  /** Path of a file that holds the token, and that is read again when it changes. */
  tokenFile?: string | undefined;
  /** Path of a PEM file that signs Consul's certificate. */
  caCert?: string | undefined;
  /** Paths of PEM files with the certificate that Consul is shown, and its key; undefined: the key is in `cert`. */
  cert?: string | undefined;
  key?: string | undefined;
  /** Name that Consul's certificate has to be for; undefined: that of the address. */
  serverName?: string | undefined;
  register: false | 'edge' | 'replicas';
  /** Host or host:port under which others reach this proxy (edge) or this machine's replicas; needed to register. */
  advertise: string | undefined;
}

/** What becomes of instances with a check that warns: used like others, only while there is no other, or not at all. */
export type WarningPolicy = 'use' | 'avoid' | 'refuse';

/** Which instances of a service are chosen. */
export interface ConsulChoice {
  /** The first one with usable instances serves; undefined: that of the agent. */
  datacenters?: readonly string[] | undefined;
  /** Only entries with all of these. */
  tags?: readonly string[] | undefined;
  /** Expression that Consul itself filters by. */
  filter?: string | undefined;
  namespace?: string | undefined;
  partition?: string | undefined;
  /** Node, or `_agent`, whose nearest node serves. */
  near?: string | undefined;
  /** `use` unless told. */
  warning?: WarningPolicy | undefined;
  /** Of all requests, what each instance with a tag gets: above 0, up to 1. */
  shares?: Readonly<Record<string, number>> | undefined;
}

/** What a service says of itself in Consul. */
export interface ConsulService extends ConsulChoice {
  /** Its name there. */
  service: string;
  /** Name of a port, in place of the port of its entries. */
  port?: string | undefined;
}

/** What a service says, and what holds for all where it does not. */
export function withDefaults(sought: ConsulService, defaults: ConsulChoice): ConsulService {
  const { datacenters, tags, filter, namespace, partition, near, warning } = defaults;
  return {
    ...sought,
    datacenters: sought.datacenters ?? datacenters,
    tags: sought.tags ?? tags,
    filter: sought.filter ?? filter,
    namespace: sought.namespace ?? namespace,
    partition: sought.partition ?? partition,
    near: sought.near ?? near,
    warning: sought.warning ?? warning,
  };
}
