import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import { noNodeFits, startFailure, toSwarmError } from '../../../src/runtime/swarm/errors.ts';
import { hostImage } from '../../../src/runtime/swarm/images.ts';
import { fitting, ownerOf, serviceName, serviceSpec } from '../../../src/runtime/swarm/service-spec.ts';
import { instanceOf, newest, phaseOf } from '../../../src/runtime/swarm/task.ts';
import { changes } from '../../../src/runtime/swarm/watch.ts';
import { hostOf, ownLabelsOf, specOf, swarmRunOf, taskOf } from './tasks.ts';

const owner = { service: 'shop', ordinal: 1, hash: 'h1', port: 3000, reach: 'host' } as const;

test('a task is known by what Swarm wants of it as well as by what it does', () => {
  expect(phaseOf(taskOf('preparing'))).toBe('waiting');
  expect(phaseOf(taskOf('running'))).toBe('running');
  expect(phaseOf(taskOf('running', { DesiredState: 'shutdown' }))).toBe('leaving');
  expect(phaseOf(taskOf('pending', { DesiredState: 'shutdown' }))).toBe('ended');
  const portless = taskOf('running', { DesiredState: 'shutdown' }, { PortStatus: {} });
  expect(phaseOf(portless)).toBe('ended');
  expect(instanceOf(portless, owner, hostOf())).toMatchObject({ state: 'stopped', endedByHand: 'yes' });
  for (const state of ['complete', 'failed', 'rejected', 'shutdown', 'orphaned', 'remove']) {
    expect(phaseOf(taskOf(state, { DesiredState: 'shutdown' }))).toBe('ended');
  }
});

test('one that runs is reached at the port that its host has for it', () => {
  const instance = instanceOf(taskOf('running'), owner, hostOf());
  expect(instance).toMatchObject({ id: 't1', state: 'running', address: { host: '10.0.0.5', port: 32_768 } });
  expect(instance.startedAt).toBe(Date.parse('2026-11-30T06:00:00Z'));
  expect(instanceOf(taskOf('preparing'), owner, hostOf())).toMatchObject({ state: 'created', address: undefined });
});

test('one in an overlay network is reached at its own address there', () => {
  const task = taskOf('running', {
    NetworksAttachments: [{ Network: { ID: 'x', Spec: { Name: 'back' } }, Addresses: ['10.0.1.7/24'] }],
  });
  expect(instanceOf(task, { ...owner, reach: 'overlay' }, hostOf()).address).toEqual({ host: '10.0.1.7', port: 3000 });
});

test('one whose host is drained or lost leaves, and one that is scaled down does not', () => {
  const given = (change: object, DesiredState = 'shutdown') =>
    instanceOf(taskOf('running', { DesiredState }), owner, hostOf(change)).leaving;
  expect(given({ isDrained: true })).toBe('its host blue is drained');
  expect(given({ isDown: true })).toBe('its host blue is down');
  expect(given({ isDrained: true }, 'remove')).toBeUndefined();
  expect(given({})).toBeUndefined();
});

test('an end is told with its exit code, and whether somebody had it end', () => {
  const ended = (state: string, ExitCode: number) =>
    instanceOf(
      taskOf(state, { DesiredState: 'shutdown' }, { ContainerStatus: { ContainerID: 'c1', ExitCode } }),
      owner,
      hostOf(),
    );
  expect(ended('failed', 3)).toMatchObject({ state: 'stopped', exitCode: 3, endedByHand: undefined });
  expect(ended('failed', 137)).toMatchObject({ outOfMemory: 'perhaps' });
  expect(ended('complete', 0)).toMatchObject({ endedByHand: 'perhaps', outOfMemory: undefined });
  expect(ended('shutdown', 143)).toMatchObject({ endedByHand: 'yes' });
});

test('one that ended with its host is lost, also when its engine was started again, and one that ended by itself is not', () => {
  const lost = (task: ReturnType<typeof taskOf>, change: object = {}) => instanceOf(task, owner, hostOf(change)).lost;
  const shutdown = { DesiredState: 'shutdown' };
  expect(lost(taskOf('shutdown', shutdown), { isDrained: true })).toBe('its host blue is drained');
  expect(lost(taskOf('preparing', shutdown), { isDown: true })).toBe('its host blue is down');
  expect(lost(taskOf('failed', shutdown), { isDrained: true })).toBeUndefined();
  expect(lost(taskOf('shutdown', { DesiredState: 'remove' }), { isDrained: true })).toBeUndefined();
  const again = 'the engine of its host blue was started again';
  expect(lost(taskOf('failed', shutdown, { Err: 'No such container: shop.1.x' }))).toBe(again);
  expect(lost(taskOf('complete', shutdown), { changedAt: Date.parse('2026-11-30T06:00:01.300Z') })).toBe(again);
  expect(lost(taskOf('complete', shutdown), { changedAt: Date.parse('2026-11-30T06:00:09Z') })).toBeUndefined();
});

test('what crashed while its host changed has crashed, and what an engine ended as it was started again has not', () => {
  const changedAt = Date.parse('2026-11-30T06:00:01.300Z');
  const lost = (state: string, ExitCode: number, StopSignal?: string) => {
    const ContainerSpec = { Labels: ownLabelsOf(), ...(StopSignal !== undefined && { StopSignal }) };
    const status = { ContainerStatus: { ContainerID: 'c1', ExitCode } };
    const task = taskOf(state, { DesiredState: 'shutdown', Spec: { ContainerSpec } }, status);
    return instanceOf(task, owner, hostOf({ changedAt })).lost !== undefined;
  };
  expect([0, 137, 143, 255].map((code) => lost(code === 0 ? 'complete' : 'failed', code))).not.toContain(false);
  expect([1, 3, 134, 139].map((code) => lost('failed', code))).not.toContain(true);
  expect([lost('failed', 130, 'SIGINT'), lost('failed', 143, 'SIGINT')]).toEqual([true, false]);
});

test('of several tasks the one that was made last counts', () => {
  const [older, newer] = [taskOf('running'), taskOf('running', { ID: 't2', CreatedAt: '2026-11-30T07:00:00Z' })];
  expect(newest([newer, older])?.ID).toBe('t2');
  expect(newest([])).toBeUndefined();
});

test('between two looks, what began, leaves and ended is told once', () => {
  const known = (phase: ReturnType<typeof phaseOf>, isGivenUp = false) => ({ owner, phase, isGivenUp });
  const before = new Map([
    ['a', known('waiting')],
    ['b', known('running')],
    ['c', known('running')],
    ['d', known('ended')],
    ['e', known('running')],
  ]);
  const after = new Map([
    ['a', known('running')],
    ['b', known('leaving')],
    ['c', known('ended')],
    ['e', known('running')],
  ]);
  const told = changes(before, after).map((event) => ('id' in event ? `${event.type} ${event.id}` : event.type));
  expect(told.toSorted()).toEqual(['exited c', 'leaving b', 'started a']);
  expect(changes(new Map([['f', known('leaving')]]), new Map())).toMatchObject([{ type: 'exited', id: 'f' }]);
});

test('why a start came to nothing is said by code, with the host', () => {
  const codeOf = (text: string, state = 'rejected', exitCode?: number) => {
    const { code, message } = startFailure({ state, text, exitCode, host: 'blue' });
    expect(message).toContain('blue');
    expect(message).not.toContain('\n');
    return code;
  };
  expect(codeOf('No such image: shop:1')).toBe('IMAGE_MISSING');
  expect(codeOf('invalid mount config for type "bind": bind source path does not exist: /x')).toBe('MOUNT_MISSING');
  expect(
    codeOf('starting container failed: exec: "/nope": stat /nope: no such file or directory\nmore', 'failed'),
  ).toBe('COMMAND_NOT_FOUND');
  expect(codeOf('Bind for 0.0.0.0:80 failed: port is already allocated')).toBe('PORT_CLASH');
  expect(codeOf('task: non-zero exit (3)', 'failed', 3)).toBe('REPLICA_EXITED');
  expect(codeOf('something else')).toBe('RUNTIME_FAILED');
  expect(noNodeFits('no suitable node (insufficient resources on 3 nodes)')).toMatchObject({
    code: 'NO_NODE_FITS',
    message: 'no host of the swarm fits: insufficient resources on 3 nodes',
  });
});

test('what is no manager is said so in one line, by what it is instead', () => {
  const said = (text: string) => toSwarmError(new PilotlightError('RUNTIME_FAILED', `Docker: ${text}`), '/d.sock');
  const none = 'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect';
  expect(said(none)).toMatchObject({
    code: 'NOT_A_MANAGER',
    message: 'the engine at /d.sock is in no swarm: docker swarm init, or join',
  });
  const worker = "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state.";
  expect(said(worker)).toMatchObject({
    code: 'NOT_A_MANAGER',
    message: 'the engine at /d.sock is a worker of its swarm: name a manager',
  });
  expect(said('rpc error: The swarm does not have a leader.')).toMatchObject({ code: 'RUNTIME_UNREACHABLE' });
  expect(said('network nonet not found').message).toBe('there is no network nonet in the swarm');
  expect(said('rpc error: code = InvalidArgument desc = secret not found: zzz').message).toBe(
    'there is no secret zzz in the swarm',
  );
});

test('a host that comes as far as to start a task has its image', () => {
  expect(hostImage('blue', taskOf('preparing'))).toEqual({ host: 'blue', state: 'pulling' });
  expect(hostImage('blue', taskOf('failed', { DesiredState: 'shutdown' }))).toEqual({ host: 'blue', state: 'there' });
  const rejected = taskOf('rejected', { DesiredState: 'shutdown' }, { Err: 'No such image: shop:1' });
  expect(hostImage('blue', rejected)).toEqual({ host: 'blue', state: 'missing', detail: 'No such image: shop:1' });
});

test('a service of a swarm is one replica, restarted by nobody, and known by its labels', () => {
  const run = swarmRunOf({
    constraints: ['node.labels.disk==ssd'],
    spread: 'node.labels.zone',
    limits: { memory: 2 ** 28, cpus: 0.5 },
    reserve: { memory: 2 ** 27, cpus: undefined },
    volumes: ['/srv:/data:ro', 'cache:/cache'],
    secrets: ['key'],
    configs: { conf: '/etc/conf' },
    labels: { team: 'retail' },
    command: ['node'],
    entrypoint: ['tini'],
  });
  const named = (ID: string, Name: string) => ({ ID, Spec: { Name } });
  const resolved = { image: 'shop:1@sha256:1', secrets: [named('i1', 'key')], configs: [named('i2', 'conf')] };
  const made = serviceSpec(specOf(run), run, resolved, { replicas: 1, force: 4 });
  expect(made.Mode).toEqual({ Replicated: { Replicas: 1 } });
  expect(ownerOf(made.Labels, 'bench')).toEqual(owner);
  expect(ownerOf(made.Labels, 'other')).toBeUndefined();
  expect(made.TaskTemplate).toMatchObject({
    ForceUpdate: 4,
    RestartPolicy: { Condition: 'none' },
    Placement: {
      Constraints: ['node.labels.disk==ssd'],
      Preferences: [{ Spread: { SpreadDescriptor: 'node.labels.zone' } }],
    },
    Resources: {
      Limits: { MemoryBytes: 2 ** 28, NanoCPUs: 5e8 },
      Reservations: { MemoryBytes: 2 ** 27 },
    },
    ContainerSpec: {
      Image: 'shop:1@sha256:1',
      Command: ['tini'],
      Args: ['node'],
      Labels: { team: 'retail', ...ownLabelsOf() },
      StopGracePeriod: 10e9,
      Mounts: [
        { Type: 'bind', Source: '/srv', Target: '/data', ReadOnly: true },
        { Type: 'volume', Source: 'cache', Target: '/cache', ReadOnly: false },
      ],
      Secrets: [{ SecretID: 'i1', SecretName: 'key', File: { Name: 'key' } }],
      Configs: [{ ConfigID: 'i2', ConfigName: 'conf', File: { Name: '/etc/conf' } }],
    },
  });
  expect(made.EndpointSpec.Ports).toEqual([{ Protocol: 'tcp', TargetPort: 3000, PublishMode: 'host' }]);
});

test('a name that Swarm would refuse is cut, and stays one of its own', () => {
  expect(serviceName(specOf())).toBe('pilotlight-bench-shop-1');
  const [a, b] = [fitting(`${'x'.repeat(80)}a`, '-1'), fitting(`${'x'.repeat(80)}b`, '-1')];
  expect([a.length, b.length]).toEqual([63, 63]);
  expect(a).not.toBe(b);
  expect(a).toMatch(/-1$/);
});
