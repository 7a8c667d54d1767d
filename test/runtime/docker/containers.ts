import type Docker from 'dockerode';
import type { ReplicaSpec } from '../../../src/model/runtime.ts';
import type { ImageRun } from '../../../src/runtime/docker/settings.ts';

export const never = new AbortController().signal;

/** With every default of the schema, which `test/config/schema/defaults.test.ts` holds to this. */
export function imageRun(run: Partial<ImageRun> = {}): ImageRun {
  return {
    runtime: 'docker',
    kind: 'docker',
    image: 'shop:1.4',
    port: 3000,
    env: {},
    memory: undefined,
    cpus: undefined,
    command: undefined,
    entrypoint: undefined,
    user: undefined,
    workdir: undefined,
    volumes: [],
    networks: [],
    labels: {},
    readOnly: false,
    standby: 'created',
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    ...run,
  };
}

/** Replica 1 of service `shop` of instance `bench`. */
export function imageSpec(
  run: Partial<ImageRun> = {},
  spec: Partial<ReplicaSpec> = {},
): ReplicaSpec & {
  run: ImageRun;
} {
  return { service: 'shop', ordinal: 1, instance: 'bench', hash: 'h1', ...spec, run: imageRun(run) };
}

export function containerSpec(container: string, spec: Partial<ReplicaSpec> = {}): ReplicaSpec {
  const run = {
    runtime: 'docker',
    kind: 'docker-container',
    container,
    port: 3000,
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
  } as const;
  return { service: 'shop', ordinal: 1, instance: 'bench', hash: 'h1', ...spec, run };
}

/** The labels of the container of `imageSpec()`. */
export const OWN_LABELS: Record<string, string> = {
  'pilotlight.instance': 'bench',
  'pilotlight.service': 'shop',
  'pilotlight.replica': '1',
  'pilotlight.hash': 'h1',
  'pilotlight.port': '3000',
};

export interface ContainerFacts {
  id?: string;
  name?: string;
  status?: 'created' | 'running' | 'paused' | 'restarting' | 'exited';
  labels?: Record<string, string>;
  startedAt?: string;
  /** Network → address. */
  networks?: Record<string, string>;
  mode?: string;
  /** Published ports as configured and as mapped now. */
  ports?: Record<string, { HostIp: string; HostPort: string }[]>;
  image?: string;
}

/** What the engine says of a container when it is inspected, as far as anything reads it. */
export function inspected(facts: ContainerFacts = {}): Docker.ContainerInspectInfo {
  const { id = 'c1', name = 'pilotlight-bench-shop-1', status = 'running', labels = OWN_LABELS, ports = {} } = facts;
  const networks = Object.entries(facts.networks ?? { bridge: '172.17.0.2' });
  const running = status === 'running' || status === 'paused' || status === 'restarting';
  return {
    Id: id,
    Name: `/${name}`,
    Image: facts.image ?? 'sha256:1',
    State: {
      Status: status,
      Running: running,
      Paused: status === 'paused',
      Restarting: status === 'restarting',
      ExitCode: running ? 0 : 137,
      StartedAt: facts.startedAt ?? (status === 'created' ? '0001-01-01T00:00:00Z' : '2026-01-01T00:00:00.123456789Z'),
    },
    Config: { Labels: labels, Tty: false },
    HostConfig: { NetworkMode: facts.mode ?? 'default', PortBindings: ports },
    NetworkSettings: {
      Ports: running ? ports : {},
      Networks: Object.fromEntries(
        networks.map(([network, address]) => [network, { NetworkID: network, IPAddress: running ? address : '' }]),
      ),
    },
  } as unknown as Docker.ContainerInspectInfo;
}

/** One line of the event stream. */
export function eventLine(action: string, at: number, facts: ContainerFacts = {}): string {
  const { id = 'c1', name = 'pilotlight-bench-shop-1', labels = OWN_LABELS } = facts;
  const Actor = { ID: id, Attributes: { name, image: 'shop:1.4', ...labels } };
  return `${JSON.stringify({ Type: 'container', Action: action, Actor, time: Math.floor(at / 1000), timeNano: at * 1e6 })}\n`;
}
