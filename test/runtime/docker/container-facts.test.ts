import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { containerOutput } from '../../../src/runtime/container-output.ts';
import { addressOf, isOwnNetwork, isPublished, type Reach } from '../../../src/runtime/docker/address.ts';
import { containerBody, containerName, ownerFromLabels, wantsInit } from '../../../src/runtime/docker/container.ts';
import { instanceOf } from '../../../src/runtime/docker/instance.ts';
import { parseEngineAddress } from '../../../src/runtime/engine.ts';
import { type ContainerFacts, imageRun, imageSpec, inspected, OWN_LABELS } from './containers.ts';

const LOCAL = { kind: 'unix', path: '/run/docker.sock' } as const;
const REMOTE = { kind: 'tcp', host: '10.9.9.9', port: 2375 } as const;
const reach = (mode: Reach['mode'], engine: Reach['engine'] = LOCAL): Reach => ({ mode, engine });
const published = (HostIp: string) => ({ '3000/tcp': [{ HostIp, HostPort: '49153' }] });

describe('address', () => {
  const address = (facts: ContainerFacts, how: Reach) => addressOf(inspected(facts), 3000, how);

  test('container is the own address on the network it was created in', () => {
    const networks = { aaa: '10.1.0.2', shop: '10.2.0.2', zzz: '10.3.0.2' };
    expect(address({ networks, mode: 'shop' }, reach('container'))).toEqual({ host: '10.2.0.2', port: 3000 });
    expect(address({ networks: {} }, reach('container'))).toBeUndefined();
  });

  test('host is the published port; bound to all addresses it is dialled on loopback', () => {
    const expected = (host: string) => ({ host, port: 49153 });
    expect(address({ ports: published('127.0.0.1') }, reach('host'))).toEqual(expected('127.0.0.1'));
    expect(address({ ports: published('0.0.0.0') }, reach('host'))).toEqual(expected('127.0.0.1'));
    expect(address({ ports: published('::') }, reach('host'))).toEqual(expected('::1'));
    expect(address({ ports: published('192.0.2.7') }, reach('host'))).toEqual(expected('192.0.2.7'));
    expect(address({ ports: published('0.0.0.0') }, reach('host', REMOTE))).toEqual(expected('10.9.9.9'));
    expect(address({}, reach('host'))).toBeUndefined();
  });

  test('on the host’s own network it is loopback in every case', () => {
    const facts = { networks: { host: '' }, mode: 'host' };
    for (const mode of ['host', 'container', 'auto'] as const) {
      expect(address(facts, reach(mode))).toEqual({ host: '127.0.0.1', port: 3000 });
    }
  });

  test('auto takes the container’s address only where it is a neighbour of ours', () => {
    const elsewhere = { networks: { bridge: '198.51.100.9' }, ports: published('127.0.0.1') };
    expect(address(elsewhere, reach('auto'))).toEqual({ host: '127.0.0.1', port: 49153 });
    expect(address({ networks: { bridge: '198.51.100.9' } }, reach('auto'))).toBeUndefined();
    const own = ownAddress();
    const near = { networks: { bridge: own }, ports: published('127.0.0.1') };
    expect(address(near, reach('auto'))).toEqual({ host: own, port: 3000 });
    expect(address(near, reach('auto', REMOTE))).toEqual({ host: '127.0.0.1', port: 49153 });
    expect(isOwnNetwork(`${own}/24`, reach('auto'))).toBe(true);
    expect(isOwnNetwork(`${own}/24`, reach('auto', REMOTE))).toBe(false);
    expect(isOwnNetwork('198.51.100.0/24', reach('auto'))).toBe(false);
    expect(isOwnNetwork('', reach('auto'))).toBe(false);
  });

  test('whether a port is published is known before the start', () => {
    expect(isPublished(inspected({ status: 'exited', ports: published('') }), 3000)).toBe(true);
    expect(isPublished(inspected({ status: 'exited' }), 3000)).toBe(false);
  });
});

describe('instance', () => {
  const owner = { service: 'shop', ordinal: 2, hash: 'h1', port: 3000 };
  const instance = (facts: ContainerFacts) => instanceOf(inspected(facts), owner, reach('container'));

  test('a running container has an address and a start, and no exit code', () => {
    const expected = { id: 'c1', service: 'shop', ordinal: 2, hash: 'h1', state: 'running', exitCode: undefined };
    expect(instance({})).toMatchObject({ ...expected, startedAt: Date.UTC(2026, 0, 1) + 123, health: 'none' });
    expect(instance({}).address).toEqual({ host: '172.17.0.2', port: 3000 });
  });

  test('what is paused keeps its address, every other state has none; one that never ran has no start', () => {
    expect(instance({ status: 'created' })).toMatchObject({ state: 'created', startedAt: 0, address: undefined });
    expect(instance({ status: 'paused' })).toMatchObject({
      state: 'paused',
      address: { host: '172.17.0.2', port: 3000 },
    });
    expect(instance({ status: 'exited' })).toMatchObject({ state: 'stopped', exitCode: 137, address: undefined });
    expect(instance({ status: 'restarting' })).toMatchObject({ state: 'stopped', address: undefined });
  });
});

describe('create', () => {
  const body = (run: Parameters<typeof imageSpec>[0], publish = false) => {
    const spec = imageSpec(run);
    return containerBody(spec, spec.run, { publish, init: true });
  };

  test('all that can be configured arrives', () => {
    expect(
      body({
        env: { A: 'b=c', EMPTY: '' },
        memory: 256 * 1024 * 1024,
        cpus: 0.5,
        command: ['serve'],
        entrypoint: ['/run.sh'],
        user: '1000:1000',
        workdir: '/srv',
        volumes: ['/data:/data:ro'],
        networks: ['shop', 'db'],
        readOnly: true,
        stop: { signal: 'SIGINT', graceMs: 2_500 },
      }),
    ).toMatchObject({
      Image: 'shop:1.4',
      Env: ['A=b=c', 'EMPTY='],
      Cmd: ['serve'],
      Entrypoint: ['/run.sh'],
      User: '1000:1000',
      WorkingDir: '/srv',
      StopSignal: 'SIGINT',
      StopTimeout: 3,
      ExposedPorts: { '3000/tcp': {} },
      HostConfig: {
        Memory: 268_435_456,
        NanoCpus: 500_000_000,
        Mounts: [{ Type: 'bind', Source: '/data', Target: '/data', ReadOnly: true }],
        Binds: [],
        NetworkMode: 'shop',
        ReadonlyRootfs: true,
        RestartPolicy: { Name: 'no' },
        LogConfig: { Type: 'json-file', Config: { 'max-size': '1m' } },
        PortBindings: {},
      },
    });
  });

  test('a port is published on loopback only, and the engine picks it', () => {
    expect(body({}, true).HostConfig?.PortBindings).toEqual({ '3000/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }] });
  });

  test('nobody can give a container our labels with other values', () => {
    const mine = { team: 'a', 'pilotlight.instance': 'forged', 'pilotlight.hash': 'forged' };
    expect(body({ labels: mine }).Labels).toEqual({ ...OWN_LABELS, team: 'a' });
  });

  test('labels say whose a container is, to its own instance only', () => {
    expect(ownerFromLabels(OWN_LABELS, 'bench')).toEqual({ service: 'shop', ordinal: 1, hash: 'h1', port: 3000 });
    expect(ownerFromLabels(OWN_LABELS, 'neighbour')).toBeUndefined();
    expect(ownerFromLabels({ 'pilotlight.instance': 'bench' }, 'bench')).toBeUndefined();
    expect(ownerFromLabels(null, 'bench')).toBeUndefined();
    expect(containerName(imageSpec())).toBe('pilotlight-bench-shop-1');
  });

  test('an init goes before everything that does not bring its own', () => {
    const image = (entrypoint: string[], command: string[] = []) => ({ entrypoint, command });
    expect(wantsInit(imageRun(), image([], ['node', 'app.js']))).toBe(true);
    expect(wantsInit(imageRun(), image([], ['/sbin/init']))).toBe(false);
    expect(wantsInit(imageRun(), image(['/usr/bin/dumb-init', '--'], ['node']))).toBe(false);
    expect(wantsInit(imageRun(), image(['/init']))).toBe(false);
    expect(wantsInit(imageRun({ entrypoint: ['/app'] }), image(['/init']))).toBe(true);
    expect(wantsInit(imageRun({ command: ['tini', '--', 'x'] }), image([], ['node']))).toBe(false);
  });
});

test('an engine is named by a path or a URL', () => {
  expect(parseEngineAddress('/var/run/docker.sock')).toEqual({ kind: 'unix', path: '/var/run/docker.sock' });
  expect(parseEngineAddress('unix:///run/docker.sock')).toEqual({ kind: 'unix', path: '/run/docker.sock' });
  expect(parseEngineAddress('tcp://10.0.0.5')).toEqual({ kind: 'tcp', host: '10.0.0.5', port: 2375 });
  expect(parseEngineAddress('tcp://[::1]:2376')).toEqual({ kind: 'tcp', host: '::1', port: 2376 });
});

test('output is put together from its frames, and taken as it is from a terminal', () => {
  const frame = (stream: number, text: string) => {
    const header = Buffer.alloc(8);
    header.writeUInt8(stream);
    header.writeUInt32BE(Buffer.byteLength(text), 4);
    return Buffer.concat([header, Buffer.from(text)]);
  };
  const log = Buffer.concat([frame(1, 'grö'), frame(2, 'oops\n'), frame(1, ''), frame(1, 'ße\n')]);
  expect(containerOutput(log, false).toString()).toBe('gröoops\nße\n');
  expect(containerOutput(log.subarray(0, -2), false).toString()).toBe('gröoops\n\u00df');
  expect(containerOutput(log.subarray(0, 4), false).length).toBe(0);
  expect(containerOutput(Buffer.from('as it is\n'), true).toString()).toBe('as it is\n');
});

/** An address of this machine that is not loopback. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const own = all.find(({ internal, family }) => !internal && family === 'IPv4');
  if (own === undefined) throw new Error('this machine has no IPv4 address but loopback');
  return own.address;
}
