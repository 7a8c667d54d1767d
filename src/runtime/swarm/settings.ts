import { PilotlightError } from '../../model/errors.ts';
import type { ReplicaSpec } from '../../model/runtime.ts';
import type { RunSettings } from '../../model/settings.ts';

/** Where the managers of the swarm are. */
export interface SwarmSettings {
  /** Path of the Engine API's unix socket, or a tcp:// address; several where there are several managers. */
  socket: string | readonly string[];
  /** What managers at tcp:// ask for; undefined: plain HTTP. Paths of PEM files. */
  tls: { ca: string; cert: string; key: string } | undefined;
}

/** Replicas that a swarm places: each is a service of it, of one task at most. */
export interface SwarmRun extends RunSettings {
  runtime: 'swarm';
  kind: 'swarm';
  image: string;
  /** Port in the container that speaks HTTP. */
  port: number;
  /**
   * `host`: at a free port of the host that it runs on. `overlay`: at its own address in the first of its networks, of
   * which this machine has to be a part.
   */
  reach: 'host' | 'overlay';
  env: Record<string, string>;
  command: string[] | undefined;
  entrypoint: string[] | undefined;
  user: string | undefined;
  workdir: string | undefined;
  /** As Swarm has them: `node.labels.disk==ssd`. */
  constraints: string[];
  /** A label of hosts (`node.labels.zone`) over whose values replicas are spread; undefined: over hosts alone. */
  spread: string | undefined;
  limits: Resources;
  /** Hosts that have not so much left are not taken. */
  reserve: Resources;
  /** Overlay networks, by name. */
  networks: string[];
  /** source:target[:ro]; a source is a path on the host, or a volume's name. */
  volumes: string[];
  /** Secrets of the swarm, by name: each at /run/secrets/NAME. */
  secrets: string[];
  /** Configs of the swarm, by name → path in the container. */
  configs: Record<string, string>;
  labels: Record<string, string>;
  readOnly: boolean;
}

interface Resources {
  /** Bytes; undefined: not said. */
  memory: number | undefined;
  /** CPUs, fractions allowed; undefined: not said. */
  cpus: number | undefined;
}

/** The `run` of a replica that a swarm is to place. @throws INTERNAL where it is for another runtime */
export function swarmRun({ service, run }: ReplicaSpec): SwarmRun {
  if (run.kind === 'swarm') return run as SwarmRun;
  throw new PilotlightError('INTERNAL', `${service} is not run by Swarm`);
}
