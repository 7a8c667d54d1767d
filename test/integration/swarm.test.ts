import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ReplicaStatus } from '../../src/model/status.ts';
import { expectStatus } from '../support/docker-api.ts';
import { buildAppImage } from '../support/images.ts';
import { RunningProxy } from '../support/proxy.ts';
import { SteadyLoad } from '../support/steady-load.ts';
import { type SwarmFleet, type SwarmHost, startSwarm } from '../support/swarm-fleet.ts';
import { until } from '../support/until.ts';
import { makeWorkspace } from '../support/workspace.ts';

interface Node {
  ID: string;
  Version: { Index: number };
  Spec: { Availability: string };
  Description: { Hostname: string };
  Status: { State: string };
}

const HOST = 'shop.test';
const MIMIC = join(import.meta.dirname, '../support/mimic.mjs');
/** Requests per second. */
const RATE = 40;

let fleet: SwarmFleet;
let proxy: RunningProxy;

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
  const workspace = await makeWorkspace(fleet.manager.socket);
  // It serves on for a moment after it was asked to end, and closes what is idle.
  const run = { image, port: 3000, env: { MIMIC_TERM_MS: '1500' }, stop: { grace: '5s' } };
  const config = {
    swarm: { socket: fleet.manager.socket },
    services: {
      shop: {
        routes: [{ host: HOST }],
        run: { swarm: run },
        scale: { idle: 'never', max: 3 },
        hold: { timeout: '60s' },
      },
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
async function underLoad(happening: () => Promise<void>): Promise<string[]> {
  const load = await SteadyLoad.start(proxy.port, HOST, RATE, { webSocket: false });
  const happened = await Promise.allSettled([happening()]);
  const { failures, kept, fresh } = await load.stop();
  for (const each of happened) if (each.status === 'rejected') throw each.reason;
  expect(kept + fresh).toBeGreaterThan(20);
  return failures;
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
  const { images: missing = [] } = await proxy.service('missing');
  expect(missing.map(({ state }) => state)).toEqual(['missing', 'missing', 'missing']);
  expect(await ready()).toEqual([]);
});

test('a request wakes a service on a host of the swarm', async () => {
  const answer = await proxy.request({ host: HOST });
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

test('a host that is drained under load loses no request', async () => {
  const host = fleet.workers[1] as SwarmHost;
  const failures = await underLoad(async () => {
    await make(host, 'drain');
    await replacedElsewhere(host);
  });
  expect(failures).toEqual([]);
  await make(host, 'active');
});
