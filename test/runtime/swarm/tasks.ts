import type { ReplicaSpec } from '../../../src/model/runtime.ts';
import type { Task } from '../../../src/runtime/swarm/api.ts';
import type { Host } from '../../../src/runtime/swarm/host.ts';
import { labels } from '../../../src/runtime/swarm/service-spec.ts';
import type { SwarmRun } from '../../../src/runtime/swarm/settings.ts';

export const never = new AbortController().signal;

export function swarmRunOf(change: Partial<SwarmRun> = {}): SwarmRun {
  return {
    runtime: 'swarm',
    kind: 'swarm',
    image: 'shop:1',
    port: 3000,
    reach: 'host',
    env: {},
    command: undefined,
    entrypoint: undefined,
    user: undefined,
    workdir: undefined,
    constraints: [],
    spread: undefined,
    limits: { memory: undefined, cpus: undefined },
    reserve: { memory: undefined, cpus: undefined },
    networks: [],
    volumes: [],
    secrets: [],
    configs: {},
    labels: {},
    readOnly: false,
    stop: { signal: 'SIGTERM', graceMs: 10_000 },
    ...change,
  };
}

export function specOf(run: SwarmRun = swarmRunOf(), ordinal = 1): ReplicaSpec {
  return { service: 'shop', ordinal, instance: 'bench', run, hash: 'h1' };
}

export const ownLabelsOf = (ordinal = 1) => ({
  [labels.instance]: 'bench',
  [labels.service]: 'shop',
  [labels.ordinal]: String(ordinal),
  [labels.hash]: 'h1',
  [labels.port]: '3000',
  [labels.reach]: 'host',
});

export const hostOf = (change: Partial<Host> = {}): Host => ({
  id: 'n1',
  name: 'blue',
  address: '10.0.0.5',
  isDown: false,
  isDrained: false,
  changedAt: 0,
  ...change,
});

export function taskOf(state: string, change: Partial<Task> = {}, status: Partial<Task['Status']> = {}): Task {
  return {
    ID: 't1',
    CreatedAt: '2026-11-30T06:00:00.000000001Z',
    ServiceID: 's1',
    NodeID: 'n1',
    DesiredState: 'running',
    Spec: { ContainerSpec: { Image: 'shop:1', Labels: ownLabelsOf() } },
    Status: {
      Timestamp: '2026-11-30T06:00:01Z',
      State: state,
      ContainerStatus: { ContainerID: 'c1', PID: 7, ExitCode: 0 },
      PortStatus: { Ports: [{ TargetPort: 3000, PublishedPort: 32_768 }] },
      ...status,
    },
    ...change,
  };
}
