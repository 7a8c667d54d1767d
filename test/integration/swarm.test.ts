import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { ReplicaStatus } from '../../src/model/status.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { containerLogs, expectStatus, startContainer } from '../support/docker-api.ts';
import { freePort } from '../support/free-port.ts';
import { buildAppImage, NODE_IMAGE } from '../support/images.ts';
import { byStatus, PacedLoad, type Sample } from '../support/paced-load.ts';
import { MAIN } from '../support/program-file.ts';
import { RunningProxy } from '../support/proxy.ts';
import { burst, epochNow, pause } from '../support/raw-client.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { type SwarmFleet, type SwarmHost, startSwarm } from '../support/swarm-fleet.ts';
import { until } from '../support/until.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

interface Node {
  ID: string;
  Version: { Index: number };
  Spec: { Availability: string };
  Description: { Hostname: string };
  Status: { State: string };
}

interface Task {
  DesiredState: string;
  Status: { State: string; PortStatus?: { Ports?: object[] } };
  NetworksAttachments?: { Addresses?: string[] }[];
}

const HOST = 'shop.test';
const MIMIC = join(import.meta.dirname, '../support/mimic.mjs');
/** Requests per second. */
const RATE = 40;
/** For what starts engines or proxies besides: the machine may be busy. */
const PATIENCE_MS = 400_000;

let fleet: SwarmFleet;
let workspace: Workspace;
let proxy: RunningProxy;
/** How replicas are run. */
let run: Record<string, unknown>;

// What follows builds on what came before: a fleet is not started for each.
beforeAll(async () => {
  fleet = await startSwarm({ hosts: 3, insecureRegistry: '10.0.0.0/8' });
  const registry = await (fleet.workers[0] as SwarmHost).startRegistry();
  const image = await buildAppImage(fleet.manager.docker, {
    tag: `${registry}/mimic:1`,
    files: { '/app/mimic.mjs': MIMIC },
    cmd: ['node', '/app/mimic.mjs'],
    env: { PORT: '3000' },
  });
  await fleet.manager.push(image);
  await createNamed('secrets', 'db-password');
  await createNamed('configs', 'shop-conf');
  workspace = await makeWorkspace(fleet.manager.socket);
  // It serves on for a moment after it was asked to end, and closes what is idle.
  run = { image, port: 3000, env: { MIMIC_TERM_MS: '1500' }, stop: { grace: '5s' } };
  // Its port opens when the secret is there; a gate is the name of a file.
  const env = { MIMIC_TERM_MS: '1500', MIMIC_GATE: '/', MIMIC_LISTEN_GATE: 'run/secrets/db-password' };
  const named = { secrets: ['db-password'], configs: { 'shop-conf': '/etc/shop.conf' } };
  const config = {
    // One that is none is passed over.
    swarm: { socket: [(fleet.workers[0] as SwarmHost).socket, fleet.secure.address], tls: fleet.secure.tls },
    services: {
      shop: {
        routes: [{ host: HOST }],
        run: { swarm: { ...run, ...named, env } },
        scale: { idle: 'never', max: 3 },
        hold: { timeout: '60s' },
      },
      other: { routes: [{ host: 'other.test' }], run: { swarm: run }, hold: { timeout: '140s' } },
      picky: { routes: [{ host: 'picky.test' }], run: { swarm: { ...run, constraints: ['node.labels.no==such'] } } },
      missing: { routes: [{ host: 'missing.test' }], run: { swarm: { ...run, image: `${registry}/none:1` } } },
    },
  };
  proxy = await (await RunningProxy.launch({ workspace, config })).ready();
});

afterAll(async () => {
  await proxy?.stop();
  await fleet?.stop();
});

const ready = async (): Promise<ReplicaStatus[]> =>
  (await proxy.service('shop')).replicas.filter(({ state }) => state === 'ready');

/** Prints what something cost. */
const tell = (line: string) => process.stderr.write(`[swarm] ${line}\n`);

/** Something that replicas get by its name. */
async function createNamed(kind: 'secrets' | 'configs', Name: string): Promise<void> {
  expectStatus(await fleet.manager.docker('POST', `/${kind}/create`, { Name, Data: btoa('x') }), 201);
}

/** The tasks of one of our services, and those that run and are to. */
async function tasksOf(service: string): Promise<{ all: Task[]; wanted: Task[] }> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`pilotlight.swarm.service=${service}`] }));
  const { json: all } = expectStatus(await fleet.manager.docker<Task[]>('GET', `/tasks?filters=${filters}`), 200);
  return { all, wanted: all.filter(({ DesiredState }) => DesiredState === 'running') };
}

/** The hosts that ready replicas run on, by name. */
async function placed(): Promise<string[]> {
  const byAddress = new Map(fleet.hosts.map(({ address, name }) => [address, name]));
  return (await ready()).map(
    ({ address }) => byAddress.get((address ?? '').replace(/:\d+$/, '')) ?? `nowhere: ${address}`,
  );
}

async function node({ name }: SwarmHost): Promise<Node> {
  const { json } = await fleet.manager.docker<Node[]>('GET', '/nodes');
  return json.find(({ Description }) => Description.Hostname === name) as Node;
}

async function make(host: SwarmHost, Availability: 'active' | 'drain'): Promise<void> {
  const { ID, Version, Spec } = await node(host);
  const body = { ...Spec, Availability };
  expectStatus(await fleet.manager.docker('POST', `/nodes/${ID}/update?version=${Version.Index}`, body), 200);
}

/** Three replicas, one on each host. */
async function spread(): Promise<void> {
  await until(
    'three replicas are ready',
    async () => {
      if ((await ready()).length >= 3) return true;
      await proxy.admin('/v1/services/shop/scale', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ replicas: 3 }),
      });
      return false;
    },
    60_000,
    500,
  );
}

/** What becomes of requests while something happens. */
async function underLoad(happening: () => Promise<void>): Promise<{ failures: string[]; samples: readonly Sample[] }> {
  const load = await SteadyLoad.start(proxy.port, HOST, RATE, { webSocket: false });
  const happened = await Promise.allSettled([happening()]);
  const { failures, kept, fresh, samples } = await load.stop();
  tell(`${kept + fresh} requests, ${failures.length} lost`);
  for (const each of happened) if (each.status === 'rejected') throw each.reason;
  expect(kept + fresh).toBeGreaterThan(20);
  return { failures, samples };
}

/** The run that answers at the replica on a host, asked behind the proxy's back; undefined where none does. */
async function bootOn({ address }: SwarmHost, port: string): Promise<string | undefined> {
  const answer = await fetch(`http://${address}:${port}/`, { signal: AbortSignal.timeout(5000) }).catch(
    () => undefined,
  );
  return answer?.headers.get('x-mimic-boot') ?? undefined;
}

/** The port of the replica on a host. */
async function portOn({ address }: SwarmHost): Promise<string> {
  const found = (await ready()).find((replica) => replica.address?.startsWith(`${address}:`));
  return found?.address?.split(':')[1] ?? '';
}

async function untilNode(host: SwarmHost, state: 'ready' | 'down'): Promise<void> {
  const isSo = () => node(host).then(({ Status }) => Status.State === state);
  await until(`${host.name} is ${state}`, () => isSo().catch(() => false), 60_000);
}

/** Waits until three replicas are ready, and none of them on a host. */
async function replacedElsewhere({ name }: SwarmHost): Promise<void> {
  const isSo = async () => {
    const names = await placed();
    return names.length >= 3 && !names.includes(name);
  };
  await until(`no replica is left on ${name}`, isSo, 60_000).catch((error) => {
    throw new Error([error.message, ...proxy.events.slice(-20).map(({ message }) => message)].join('\n'));
  });
}

test('its image is on every host before the first request', async () => {
  const images = async () => (await proxy.service('shop')).images ?? [];
  await until('every host has the image', async () => {
    const found = await images();
    return found.length === 3 && found.every(({ state }) => state === 'there');
  });
  expect((await images()).map(({ host }) => host)).toEqual(fleet.hosts.map(({ name }) => name).toSorted());
  const missing = async () => ((await proxy.service('missing')).images ?? []).map(({ state }) => state);
  await until('no host has the other', async () => (await missing()).join() === 'missing,missing,missing');
  expect(await ready()).toEqual([]);
});

test('a request wakes a service on a host of the swarm', async () => {
  // It has its secret, or its port would not be open, and its config, or there would be no answer.
  const answer = await proxy.request({ host: HOST, path: '/?gate=etc/shop.conf' });
  expect(answer.status).toBe(200);
  expect(answer.headers['x-cold-start']).toBe('1');
  expect(fleet.hosts.map(({ name }) => name)).toEqual(expect.arrayContaining(await placed()));
});

test('more replicas are spread over the hosts', async () => {
  await spread();
  expect((await placed()).toSorted()).toEqual(fleet.hosts.map(({ name }) => name).toSorted());
});

test('no host that fits, and an image that nobody has, are said in one line', async () => {
  const failed = [
    ['picky', 'no host of the swarm fits: scheduling constraints not satisfied on 3 nodes'],
    ['missing', /no such image on \S+: \S+none:1 \(no registry gave it, and the host has none\)/],
  ] as const;
  for (const [name, why] of failed) {
    await proxy.request({ host: `${name}.test` });
    const told = () => proxy.events.find(({ type, service }) => type === 'start-failed' && service === name);
    await until('the failure is told', () => told() !== undefined);
    expect(told()?.message).toMatch(why);
  }
});

test('a replica whose host loses its engine under load serves until another one does, and never again', async () => {
  const host = fleet.workers[1] as SwarmHost;
  const port = await portOn(host);
  const lost = await bootOn(host, port);
  expect(lost).toBeDefined();
  let [killedAt, replacedAt] = [0, 0];
  const { failures, samples } = await underLoad(async () => {
    killedAt = epochNow();
    await host.killEngine();
    await replacedElsewhere(host);
    replacedAt = epochNow();
    // It is still there, and would answer.
    expect(await bootOn(host, port)).toBe(lost);
    await host.startEngine();
    await untilNode(host, 'ready');
    await until('its engine has ended it', async () => (await bootOn(host, port)) === undefined, 60_000);
  });
  expect(failures).toEqual([]);
  const byLost = samples.filter(({ boot, dueAt }) => boot === lost && dueAt > killedAt);
  tell(
    `its engine killed: replaced after ${Math.round((replacedAt - killedAt) / 100) / 10} s, ${byLost.length} answers of it`,
  );
  expect(byLost.length).toBeGreaterThan(0);
  expect(byLost.filter(({ dueAt }) => dueAt > replacedAt)).toEqual([]);
  expect((await tasksOf('shop')).wanted).toHaveLength(3);
});

test('a host that is drained under load loses no request', async () => {
  const host = fleet.workers[0] as SwarmHost;
  const { failures } = await underLoad(async () => {
    await make(host, 'drain');
    await replacedElsewhere(host);
  });
  expect(failures).toEqual([]);
  await make(host, 'active');
});

test('without its manager what is warm loses no request, what sleeps is refused at once, and both go on when it is back', async () => {
  const { manager } = fleet;
  await spread();
  const hosts = await placed();
  const port = await portOn(manager);
  const before = await bootOn(manager, port);
  expect(before).toBeDefined();
  const { failures } = await underLoad(async () => {
    await manager.killEngine();
    const began = epochNow();
    const { status } = await proxy.request({ host: 'other.test' });
    tell(`without its manager a cold request is answered ${status} after ${Math.round(epochNow() - began)} ms`);
    expect(status).toBe(503);
    const told = () => proxy.events.find(({ type, service }) => type === 'start-failed' && service === 'other');
    await until('the failure is told', () => told() !== undefined);
    expect(told()?.message).toContain(`no Docker engine at ${fleet.secure.address}`);
    await pause(2000);
    // Nothing was taken out for want of a word of the manager.
    expect(await placed()).toEqual(hosts);
    await manager.startEngine();
    await untilNode(manager, 'ready');
    expect((await proxy.request({ host: 'other.test', timeout: 60_000 })).status).toBe(200);
    await until('its engine has ended its replica', async () => (await bootOn(manager, port)) !== before, 60_000);
    await until(
      'it is replaced',
      async () => (await tasksOf('shop')).wanted.length === 3 && (await ready()).length === 3,
    );
  });
  expect(failures).toEqual([]);
});

test('in an overlay network a replica on another host is reached at its own address, by a proxy that runs there', async () => {
  const { manager } = fleet;
  const worker = fleet.workers[1] as SwarmHost;
  const network = { Name: 'back', Driver: 'overlay', Attachable: true };
  expectStatus(await manager.docker('POST', '/networks/create', network), 201);
  const inner = { ...run, reach: 'overlay', networks: ['back'], constraints: [`node.hostname==${worker.name}`] };
  const config = {
    listen: [{ address: '0.0.0.0:8080' }],
    state: '/tmp/state',
    swarm: { socket: manager.socket },
    services: { inner: { routes: [{ path: '/' }], run: { swarm: inner }, hold: { timeout: '60s' } } },
  };
  const file = join(workspace.folder, 'overlay.json');
  await writeFile(file, JSON.stringify(config));
  const root = join(import.meta.dirname, '../..');
  const id = await startContainer(manager.docker, {
    Image: NODE_IMAGE,
    Cmd: ['node', MAIN, 'run', '-c', file],
    ExposedPorts: { '8080/tcp': {} },
    HostConfig: {
      NetworkMode: network.Name,
      PortBindings: { '8080/tcp': [{ HostPort: '8080' }] },
      Binds: [`${root}:${root}:ro`, `${file}:${file}:ro`, `${manager.socket}:${manager.socket}`],
    },
  });
  try {
    const ask = () => fetch(`http://${manager.address}:8080/`, { signal: AbortSignal.timeout(60_000) });
    const boots: (string | null)[] = [];
    await until(
      'it is answered',
      async () => {
        const answer = await ask().catch(() => undefined);
        boots.push(answer?.headers.get('x-mimic-boot') ?? null);
        return answer?.status === 200;
      },
      60_000,
    );
    expect(boots.at(-1)).not.toBeNull();
    const [task] = (await tasksOf('inner')).wanted;
    tell(`in an overlay network, at ${task?.NetworksAttachments?.flatMap(({ Addresses }) => Addresses)}`);
    expect(task?.Status.PortStatus?.Ports ?? []).toEqual([]);
  } catch (error) {
    throw new Error(`${error}\n${await containerLogs(manager.socket, id)}`);
  } finally {
    await manager.docker('DELETE', `/containers/${id}?force=1`);
  }
});

test(
  'three proxies have one replica started, and one again when their leader is killed, which costs the others nothing',
  async () => {
    const consul = await ConsulAgent.start(inject('consulBinary'));
    const launched = Array.from({ length: 3 }, async () => {
      const advertise = `127.0.0.1:${await freePort()}`;
      const config = {
        swarm: { socket: fleet.manager.socket },
        consul: { address: consul.address },
        cluster: { name: 'edge', advertise, secret: 'a-secret-of-many-characters', ttl: '4s', lease: '2s' },
        services: { fleet: { routes: [{ host: 'fleet.test' }], run: { swarm: run }, hold: { timeout: '140s' } } },
      };
      return (await RunningProxy.launch({ workspace, config })).ready();
    });
    const members = await Promise.all(launched);
    try {
      const cold = await Promise.all(
        members.map(({ port }) => burst(port, 10, { host: 'fleet.test', timeout: 150_000 })),
      );
      expect(cold.flat().map(({ status }) => status)).toEqual(Array.from({ length: 30 }, () => 200));
      expect((await tasksOf('fleet')).all).toHaveLength(1);

      const leads = async (member: RunningProxy) => (await member.metric('pilotlight_cluster_leader')) === 1;
      const standings = await Promise.all(members.map(leads));
      const leader = members[standings.indexOf(true)] as RunningProxy;
      const others = members.filter((member) => member !== leader);
      const loads = others.map(({ port }) => PacedLoad.start({ port, host: 'fleet.test', rate: 20 }));
      await leader.crash();
      await until('another one leads', async () => (await Promise.all(others.map(leads))).includes(true), 60_000);
      await pause(1000);
      const samples = (await Promise.all(loads.map((load) => load.stop()))).flat();
      tell(
        `${samples.length} requests at two proxies while the leader is killed: ${JSON.stringify(byStatus(samples))}`,
      );
      expect(Object.keys(byStatus(samples))).toEqual(['200']);
      expect((await tasksOf('fleet')).all).toHaveLength(1);
    } finally {
      await Promise.all(members.filter(({ alive }) => alive).map((member) => member.stop()));
      await consul.stop();
    }
    expect((await tasksOf('fleet')).wanted).toHaveLength(1);
  },
  PATIENCE_MS,
);
