import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, inject, test, vi } from 'vitest';
import { silentLogger } from '../../src/model/observe.ts';
import type { Instance, ReplicaSpec, Runtime, RuntimeEvent } from '../../src/model/runtime.ts';
import { createDockerRuntime } from '../../src/runtime/docker/runtime.ts';
import type { DockerSettings, ImageRun } from '../../src/runtime/docker/settings.ts';
import { systemClock } from '../../src/util/clock.ts';
import { containerSpec, imageSpec } from '../runtime/docker/containers.ts';
import {
  dockerApi,
  expectStatus,
  listContainers,
  removeContainers,
  startContainer,
  TEST_LABEL,
} from '../support/docker-api.ts';
import { buildAppImage, NODE_IMAGE } from '../support/images.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const socket = inject('dockerSocket');
const docker = dockerApi(socket);
const run = inject('dockerRun');
const never = new AbortController().signal;
const STOP = { signal: 'SIGTERM', graceMs: 10_000 };

/** Answers with a JSON text of what it is, and dies of SIGTERM with code 3. */
const APP = `
  const fs = require('node:fs');
  const facts = () => ({ uid: process.getuid(), cwd: process.cwd(), args: process.argv.slice(1), greeting: process.env.GREETING });
  process.on('SIGTERM', () => process.exit(3));
  require('node:http').createServer((_, out) => out.end(JSON.stringify(facts()))).listen(3000);
  console.log('up');
  console.error('as user ' + process.getuid());
`;

let instance: string;
let serial = 0;
beforeEach(() => {
  serial += 1;
  instance = `t${process.pid}-${serial}`;
});
afterEach(async () => {
  await removeContainers(docker, `${TEST_LABEL}.case=${instance}`);
});

function runtime(reach: DockerSettings['reach'] = 'container'): Promise<Runtime> {
  return createDockerRuntime({ settings: { socket, reach }, clock: systemClock, logger: silentLogger, instance });
}

function caseLabels(): Record<string, string> {
  return { [TEST_LABEL]: run, [`${TEST_LABEL}.case`]: instance };
}

function appSpec(options: Partial<ImageRun> = {}, spec: Partial<ReplicaSpec> = {}): ReplicaSpec {
  const command = ['node', '-e', APP];
  return imageSpec({ image: NODE_IMAGE, command, labels: caseLabels(), stop: STOP, ...options }, { instance, ...spec });
}

interface AppFacts {
  uid: number;
  cwd: string;
  args: string[];
  greeting?: string;
}

/** What the app says once it answers. */
async function facts({ address }: Instance): Promise<AppFacts> {
  let found: AppFacts | undefined;
  await until(`an answer at ${address?.host}:${address?.port}`, async () => {
    const response = await fetch(`http://${address?.host}:${address?.port}/`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(2_000),
    }).catch(() => undefined);
    found = (await response?.json().catch(() => undefined)) as AppFacts | undefined;
    return found !== undefined;
  });
  return found as unknown as AppFacts;
}

interface Inspected {
  Config: { Labels: Record<string, string>; StopSignal: string };
  HostConfig: Record<string, unknown>;
  State: { Status: string };
}

async function inspected(ref: string): Promise<Inspected> {
  return expectStatus(await docker<Inspected>('GET', `/containers/${ref}/json`), 200).json;
}

test.each(['container', 'host', 'auto'] as const)(
  '%s: a replica is created, started, reached, stopped',
  async (reach) => {
    const docks = await runtime(reach);
    const spec = appSpec();
    await docks.prepare(spec, never);
    const [created] = await docks.list([spec], never);
    expect(created).toMatchObject({ service: 'shop', ordinal: 1, hash: 'h1', state: 'created', address: undefined });

    const started = await docks.start(spec, never);
    expect(started).toMatchObject({ id: created?.id, state: 'running', health: 'none', exitCode: undefined });
    expect(Math.abs(started.startedAt - Date.now())).toBeLessThan(30_000);
    await facts(started);
    expect(await docks.inspect(started.id, never)).toEqual(started);

    await docks.stop(started.id, STOP, never);
    expect(await docks.inspect(started.id, never)).toMatchObject({ state: 'stopped', exitCode: 3, address: undefined });
    await docks.stop(started.id, STOP, never);

    const again = await docks.start(spec, never);
    expect(again.id).toBe(started.id);
    expect(again.startedAt).toBeGreaterThan(started.startedAt);
    await facts(again);
  },
);

test('a published port is another one after each start, on loopback only', async () => {
  const docks = await runtime('host');
  const seen: number[] = [];
  for (let i = 0; i < 3; i++) {
    const started = await docks.start(appSpec(), never);
    expect(started.address?.host).toBe('127.0.0.1');
    seen.push(started.address?.port ?? 0);
    await facts(started);
    await docks.stop(started.id, { ...STOP, graceMs: 0 }, never);
  }
  expect(new Set(seen).size).toBe(3);
});

test('auto dials the container where its network is one of this machine’s', async () => {
  const started = await (await runtime('auto')).start(appSpec(), never);
  const gateway = await bridgeGateway();
  const own = Object.values(networkInterfaces()).flat();
  const isNeighbour = own.some((found) => found?.address === gateway);
  expect(started.address?.port === 3000).toBe(isNeighbour);
  await facts(started);
});

test('all options reach the container', async () => {
  const docks = await runtime();
  const spec = appSpec({
    env: { GREETING: 'a=b $HOME' },
    memory: 128 * 1024 * 1024,
    cpus: 0.5,
    entrypoint: ['node', '-e', APP],
    command: ['--', 'one', 'two'],
    user: 'app',
    workdir: '/tmp',
    volumes: ['/etc:/data:ro'],
    readOnly: true,
    stop: { signal: 'SIGINT', graceMs: 2_500 },
  });
  const started = await docks.start(spec, never);
  expect(await facts(started)).toEqual({ uid: 1000, cwd: '/tmp', args: ['one', 'two'], greeting: 'a=b $HOME' });
  const { Config, HostConfig } = await inspected(started.id);
  expect(HostConfig).toMatchObject({
    Memory: 134_217_728,
    NanoCpus: 500_000_000,
    ReadonlyRootfs: true,
    Mounts: [{ Type: 'bind', Source: '/etc', Target: '/data', ReadOnly: true }],
    RestartPolicy: { Name: 'no' },
  });
  expect(Config.StopSignal).toBe('SIGINT');
  expect(Config.Labels).toMatchObject({
    ...caseLabels(),
    'pilotlight.instance': instance,
    'pilotlight.service': 'shop',
    'pilotlight.replica': '1',
    'pilotlight.hash': 'h1',
  });
});

test('several networks are joined, and the first one is dialled', async () => {
  const names = [`${instance}-a`, `${instance}-b`];
  for (const Name of names) expectStatus(await docker('POST', '/networks/create', { Name }), 201);
  try {
    const started = await (await runtime()).start(appSpec({ networks: names }), never);
    await facts(started);
    const networks = await docker<{ NetworkSettings: { Networks: Record<string, { IPAddress: string }> } }>(
      'GET',
      `/containers/${started.id}/json`,
    );
    const addresses = networks.json.NetworkSettings.Networks;
    expect(Object.keys(addresses).sort()).toEqual(names);
    expect(started.address?.host).toBe(addresses[names[0] ?? '']?.IPAddress);
  } finally {
    await removeContainers(docker, `${TEST_LABEL}.case=${instance}`);
    for (const name of names) await docker('DELETE', `/networks/${name}`);
  }
});

describe('what cannot be started', () => {
  test('an image that does not exist', async () => {
    const docks = await runtime();
    const call = docks.start(appSpec({ image: 'pilotlight-test/nowhere:1' }), never);
    await expect(call).rejects.toMatchObject({
      code: 'IMAGE_MISSING',
      message: 'no such image: pilotlight-test/nowhere:1 (pull or build it first)',
    });
    expect(await docks.list([], never)).toEqual([]);
  });

  test('a network that does not exist', async () => {
    const call = (await runtime()).start(appSpec({ networks: [`${instance}-nowhere`] }), never);
    await expect(call).rejects.toMatchObject({ code: 'RUNTIME_FAILED', message: expect.stringContaining('nowhere') });
  });

  test('a working directory that is a file', async () => {
    const call = (await runtime()).start(appSpec({ workdir: '/etc/passwd' }), never);
    await expect(call).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  });

  test('a command that does not exist: it starts and ends at once with code 127', async () => {
    const docks = await runtime();
    const { id } = await docks.start(appSpec({ command: ['no-such-program'] }), never);
    await until('it ended', async () => (await docks.inspect(id, never))?.state === 'stopped');
    expect(await docks.inspect(id, never)).toMatchObject({ exitCode: 127 });
    expect((await docks.output(id, 5, never)).join('\n')).toContain('no-such-program');
  });

  test('a bind mount whose source does not exist, and nothing is made of it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pilotlight-mount-'));
    try {
      const source = join(folder, 'missing');
      const docks = await runtime();
      const spec = appSpec({ volumes: [`${source}:/data`, `${instance}-named:/named`] });
      const refusal = { code: 'MOUNT_MISSING', message: expect.stringContaining(source) };
      await expect(docks.prepare(spec, never)).rejects.toMatchObject(refusal);
      await expect(docks.start(spec, never)).rejects.toMatchObject(refusal);
      await mkdir(source);
      await docks.prepare(spec, never);
      await rm(source, { recursive: true });
      await expect(docks.start(spec, never)).rejects.toMatchObject(refusal);
      await expect(stat(source)).rejects.toMatchObject({ code: 'ENOENT' });
      await mkdir(source);
      await facts(await docks.start(spec, never));
    } finally {
      await removeContainers(docker, `${TEST_LABEL}.case=${instance}`);
      await docker('DELETE', `/volumes/${instance}-named`);
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('a port of the host that is taken', async () => {
    const holder = await (await runtime('host')).start(appSpec(), never);
    const name = `${instance}-clash`;
    const body = {
      Image: NODE_IMAGE,
      Labels: caseLabels(),
      ExposedPorts: { '3000/tcp': {} },
      HostConfig: { PortBindings: { '3000/tcp': [{ HostPort: String(holder.address?.port) }] } },
    };
    expectStatus(await docker('POST', `/containers/create?name=${name}`, body), 201);
    const call = (await runtime('host')).start(containerSpec(name, { instance }), never);
    await expect(call).rejects.toMatchObject({ code: 'PORT_CLASH', retrySafe: true });
  });
});

test('a replica of an older configuration is replaced while it does not run, and never while it does', async () => {
  const docks = await runtime();
  const before = await docks.start(appSpec({ env: { GREETING: 'old' } }), never);
  await docks.prepare(appSpec({}, { hash: 'h2' }), never);
  expect(await docks.inspect(before.id, never)).toMatchObject({ state: 'running', hash: 'h1' });
  await docks.stop(before.id, STOP, never);
  await docks.prepare(appSpec({ env: { GREETING: 'new' } }, { hash: 'h2' }), never);
  const [after, ...others] = await docks.list([], never);
  expect(after).toMatchObject({ hash: 'h2', state: 'created' });
  expect(others).toEqual([]);
  expect(await docks.inspect(before.id, never)).toBeUndefined();
});

test('without standby nothing stays of a container that was stopped', async () => {
  const docked = await runtime();
  const { id } = await docked.start(appSpec({ standby: 'none' }), never);
  await docked.stop(id, STOP, never);
  expect(await docked.inspect(id, never)).toBeUndefined();
});

test('a container removed by someone else is made again by the next start', async () => {
  const docks = await runtime();
  await docks.prepare(appSpec(), never);
  await removeContainers(docker, `${TEST_LABEL}.case=${instance}`);
  await facts(await docks.start(appSpec(), never));
});

test('another runtime of the same instance finds what runs; one of another instance does not', async () => {
  const started = await (await runtime()).start(appSpec({}, { ordinal: 2 }), never);
  const later = await runtime();
  expect(await later.list([], never)).toEqual([started]);
  await facts(started);
  const own = instance;
  instance = `${own}-other`;
  const other = await runtime();
  instance = own;
  expect(await other.list([], never)).toEqual([]);
  expect(await other.inspect(started.id, never)).toBeUndefined();
  await expect(other.stop(started.id, STOP, never)).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  expect((await inspected(started.id)).State.Status).toBe('running');
});

test('an existing container is started, reached both ways, stopped, and never removed', async () => {
  const body = {
    Image: NODE_IMAGE,
    Cmd: ['node', '-e', APP],
    Labels: caseLabels(),
    ExposedPorts: { '3000/tcp': {} },
    HostConfig: { PortBindings: { '3000/tcp': [{ HostPort: '' }] } },
  };
  const name = `${instance}-till`;
  expectStatus(await docker('POST', `/containers/create?name=${name}`, body), 201);
  const spec = containerSpec(name, { instance });
  for (const reach of ['container', 'host'] as const) {
    const docks = await runtime(reach);
    expect(await docks.list([], never)).toEqual([]);
    expect(await docks.list([spec], never)).toMatchObject([{ service: 'shop', ordinal: 1, hash: 'h1' }]);
    await docks.prepare(spec, never);
    const started = await docks.start(spec, never);
    await facts(started);
    await docks.stop(started.id, STOP, never);
    await docks.clean('shop', never);
    expect(await docks.inspect(started.id, never)).toMatchObject({ state: 'stopped' });
  }
});

test('containers without our label are neither listed, nor cleaned away, nor replaced', async () => {
  const docks = await runtime();
  const body = {
    Image: NODE_IMAGE,
    Cmd: ['node', '-e', APP],
    Labels: { ...caseLabels(), 'pilotlight.service': 'shop' },
  };
  const name = `pilotlight-${instance}-shop-1`;
  const { Id } = expectStatus(await docker<{ Id: string }>('POST', `/containers/create?name=${name}`, body), 201).json;
  await docks.clean('shop', never);
  expect(await docks.list([], never)).toEqual([]);
  await expect(docks.start(appSpec(), never)).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  await expect(docks.prepare(appSpec(), never)).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  expect((await inspected(Id)).State.Status).toBe('created');
});

test('cleaning up removes what does not run of that service', async () => {
  const docks = await runtime();
  const [first, second] = [appSpec({}, { ordinal: 1 }), appSpec({}, { ordinal: 2 })];
  const other = appSpec({}, { service: 'till' });
  await docks.start(first, never);
  for (const spec of [second, other]) await docks.prepare(spec, never);
  await docks.clean('shop', never);
  const left = (await docks.list([], never)).map(({ service, ordinal }) => `${service}-${ordinal}`);
  expect(left.sort()).toEqual(['shop-1', 'till-1']);
  expect(await listContainers(docker, `pilotlight.instance=${instance}`)).toHaveLength(2);
});

test('what others do to a replica is noticed', async () => {
  const docks = await runtime();
  const events: RuntimeEvent[] = [];
  const watch = new AbortController();
  docks.watch((event) => events.push(event), watch.signal);
  try {
    const { id } = await docks.start(appSpec(), never);
    const steps = [
      ['pause', 'exited', 'paused'],
      ['unpause', 'started', 'running'],
      ['kill', 'exited', 'stopped'],
      ['start', 'started', 'running'],
    ] as const;
    await until('the start is told', () => events.length === 1);
    for (const [action, type, state] of steps) {
      const count = events.length;
      // The kernel of a busy machine may be unable to freeze a container at once.
      await until(`${action} is done`, async () => {
        const answer = await docker('POST', `/containers/${id}/${action}`);
        return answer.text.includes('unable to freeze') ? false : expectStatus(answer, 204) !== undefined;
      });
      await until(`${action} is told`, () => events.length > count);
      expect(events.slice(count)).toEqual([{ type, id, service: 'shop', ordinal: 1 }]);
      expect(await docks.inspect(id, never)).toMatchObject({ state });
    }
  } finally {
    watch.abort();
  }
});

test.each([
  ['stop', 'somebody', "process.on('SIGTERM', () => process.exit(0))", 0],
  ['kill', 'somebody', '', 137],
  ['restart', 'somebody', '', undefined],
] as const)('docker %s is the doing of %s', async (action, _who, handler, exitCode) => {
  const docks = await runtime();
  const watch = new AbortController();
  const ends: RuntimeEvent[] = [];
  docks.watch((event) => event.type === 'exited' && ends.push(event), watch.signal);
  try {
    const { id } = await docks.start(
      appSpec({ command: ['node', '-e', `${handler}; setInterval(() => {}, 9); console.log('up')`] }),
      never,
    );
    await until('it runs', async () => (await docks.output(id, 1, never))[0] === 'up');
    expectStatus(await docker('POST', `/containers/${id}/${action}`), 204);
    await until('the end is told', () => ends.length === 1);
    expect(await docks.inspect(id, never)).toMatchObject({ endedByHand: 'yes', exitCode });
  } finally {
    watch.abort();
  }
});

test('a crash and an end for want of memory are nobody’s doing', async () => {
  const docks = await runtime();
  const end = async (script: string, options: Partial<ImageRun> = {}) => {
    const { id } = await docks.start(appSpec({ command: ['node', '-e', script], ...options }), never);
    await until('it ended', async () => (await docks.inspect(id, never))?.state === 'stopped');
    return docks.inspect(id, never);
  };
  expect((await end('process.exit(1)'))?.endedByHand).toBeUndefined();
  const fill = 'const all = []; for (;;) all.push(Buffer.alloc(2 ** 20, 1))';
  await removeContainers(docker, `${TEST_LABEL}.case=${instance}`);
  const starved = await end(fill, { memory: 64 * 1024 * 1024 });
  expect(starved).toMatchObject({ outOfMemory: 'yes', exitCode: 137 });
  expect(starved?.endedByHand).toBeUndefined();
});

test('a stop and a start right after it leave the stream of events in order', async () => {
  const docks = await runtime();
  const events: RuntimeEvent[] = [];
  const watch = new AbortController();
  docks.watch((event) => events.push(event), watch.signal);
  try {
    for (let i = 0; i < 3; i++) {
      const { id } = await docks.start(appSpec(), never);
      await docks.stop(id, { ...STOP, graceMs: 0 }, never);
    }
    const last = await docks.start(appSpec(), never);
    await until('all is told', () => events.filter(({ type }) => type === 'started').length === 4);
    expect(events.at(-1)).toMatchObject({ type: 'started', id: last.id });
  } finally {
    watch.abort();
  }
});

test('the health check of an image is followed', async () => {
  const image = await buildAppImage(docker, {
    tag: 'pilotlight-test/runtime-health:1',
    files: {},
    // It is well from its first answer on, so not before somebody asks.
    cmd: [
      'node',
      '-e',
      `const answer = (_, out) => { require('node:fs').writeFileSync('/tmp/well', ''); out.end('{}'); };
      require('node:http').createServer(answer).listen(3000)`,
    ],
    healthcheck: { test: ['node', '-e', "require('node:fs').statSync('/tmp/well')"], interval: '300ms', retries: 1000 },
  });
  const docks = await runtime();
  const started = await docks.start(appSpec({ image, command: undefined }), never);
  expect(started.health).toBe('starting');
  await facts(started);
  await until('it is well', async () => (await docks.inspect(started.id, never))?.health === 'healthy');
});

test('the health check of an image is run when asked for, long before its interval is over', async () => {
  const image = await buildAppImage(docker, {
    tag: 'pilotlight-test/runtime-slow-health:1',
    files: {},
    cmd: [
      'node',
      '-e',
      "setTimeout(() => require('node:fs').writeFileSync('/tmp/well', ''), 1000); setInterval(() => {}, 9)",
    ],
    healthcheck: { test: ['node', '-e', "require('node:fs').statSync('/tmp/well')"], interval: '600s', retries: 3 },
  });
  const docks = await runtime();
  const { id } = await docks.start(appSpec({ image, command: undefined }), never);
  const verdicts: string[] = [];
  await until('it is well', async () => {
    const verdict = await docks.checkHealth?.(id, never);
    verdicts.push(`${verdict?.verdict} ${verdict?.detail}`);
    return verdict?.verdict === 'passed';
  });
  expect(await docks.inspect(id, never)).toMatchObject({ health: 'starting' });
  expect(new Set(verdicts.slice(0, -1))).toEqual(new Set(['failed exit code 1']));
  const plain = await docks.start(appSpec({}, { ordinal: 2 }), never);
  expect(await docks.checkHealth?.(plain.id, never)).toEqual({ verdict: 'unknown', detail: 'there is none' });
});

describe('stop', () => {
  const stubborn = `for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => console.log('no ' + name)); ${APP.replace('process.exit(3)', '0')}`;

  test('an app that ignores the signal is killed after the grace', async () => {
    const docks = await runtime();
    const started = await docks.start(appSpec({ command: ['node', '-e', stubborn] }), never);
    await facts(started);
    const before = performance.now();
    await docks.stop(started.id, { signal: 'SIGTERM', graceMs: 1_000 }, never);
    expect(performance.now() - before).toBeGreaterThanOrEqual(1_000);
    expect(await docks.inspect(started.id, never)).toMatchObject({ state: 'stopped', exitCode: 137 });
    expect(await docks.output(started.id, 1, never)).toEqual(['no SIGTERM']);
  });

  test('an app without a handler ends by the signal all the same', async () => {
    const docks = await runtime();
    const script = "require('node:http').createServer((_, out) => out.end('{}')).listen(3000)";
    const started = await docks.start(appSpec({ command: ['node', '-e', script] }), never);
    await facts(started);
    await docks.stop(started.id, { signal: 'SIGTERM', graceMs: 60_000 }, never);
    expect(await docks.inspect(started.id, never)).toMatchObject({ state: 'stopped', exitCode: 143 });
  });

  test('a signal other than the one the container was made with is honoured', async () => {
    const docks = await runtime();
    const script = `process.on('SIGINT', () => process.exit(5)); ${APP}`;
    const started = await docks.start(appSpec({ command: ['node', '-e', script] }), never);
    await facts(started);
    await docks.stop(started.id, { signal: 'SIGINT', graceMs: 60_000 }, never);
    expect(await docks.inspect(started.id, never)).toMatchObject({ state: 'stopped', exitCode: 5 });
  });
});

test('output is the last lines of both streams', async () => {
  const docks = await runtime();
  const started = await docks.start(appSpec(), never);
  await facts(started);
  await until('both are there', async () => (await docks.output(started.id, 10, never)).length === 2);
  expect((await docks.output(started.id, 10, never)).sort()).toEqual(['as user 0', 'up']);
  expect(await docks.output(started.id, 1, never)).toHaveLength(1);
  const body = {
    Image: NODE_IMAGE,
    Cmd: ['node', '-e', "process.stdout.write('17\\n')"],
    Tty: true,
    Labels: caseLabels(),
  };
  const id = await startContainer(docker, body);
  const { Name } = (await docker<{ Name: string }>('GET', `/containers/${id}/json`)).json;
  await docks.list([containerSpec(Name.slice(1), { instance })], never);
  await until('the terminal printed', async () => (await docks.output(id, 5, never))[0] === '17');
});

test('output is that of the last run alone', async () => {
  const docks = await runtime();
  const spec = appSpec({ command: ['node', '-e', 'console.log(process.hrtime.bigint()); process.exit(1)'] });
  const seen: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { id } = await docks.start(spec, never);
    await until('it ended', async () => (await docks.inspect(id, never))?.state === 'stopped');
    const lines = await docks.output(id, 10, never);
    expect(lines).toHaveLength(1);
    seen.push(...lines);
  }
  expect(new Set(seen).size).toBe(3);
});

async function bridgeGateway(): Promise<string | undefined> {
  type Network = { IPAM: { Config: { Gateway?: string }[] } };
  return (await docker<Network>('GET', '/networks/bridge')).json.IPAM.Config[0]?.Gateway;
}
