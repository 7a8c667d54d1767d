import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import type { DeclarationStatus } from '../../src/model/declarations.ts';
import { ConsulAgent } from '../support/consul-agent.ts';
import { type NewEntry, registerEntry, removeEntry } from '../support/consul-catalog.ts';
import { freePort } from '../support/free-port.ts';
import { RunningProxy } from '../support/proxy.ts';
import { Relay } from '../support/relay.ts';
import { until } from '../support/until.ts';
import { makeWorkspace } from '../support/workspace.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000 });

let agent: ConsulAgent;
let relay: Relay;
let app: Server;
let proxy: RunningProxy;

beforeAll(async () => {
  agent = await ConsulAgent.start(inject('consulBinary'));
  const port = await freePort();
  relay = await Relay.open({ port }, { port: Number(new URL(agent.address).port) });
  app = createServer((request, answer) => answer.end(request.url)).listen(0, '127.0.0.1');
  const config = {
    consul: { address: `http://127.0.0.1:${port}` },
    declare: { consul: true, dialects: ['fabio', 'traefik'] },
    services: { filed: { routes: [{ host: 'filed.example' }], endpoints: { static: ['127.0.0.1:1'] } } },
  };
  const workspace = await makeWorkspace(inject('dockerSocket'));
  proxy = await (await RunningProxy.launch({ workspace, config })).ready();
}, 180_000);

afterAll(async () => {
  await proxy?.stop();
  await relay?.cut();
  await agent?.stop();
  app?.close();
}, 120_000);

const register = (name: string, entry: Partial<NewEntry>) => {
  const { port } = app.address() as AddressInfo;
  return registerEntry(agent.address, { id: `${name}-1`, name, port, ...entry });
};
const remove = (...names: string[]) => Promise.all(names.map((name) => removeEntry(agent.address, `${name}-1`)));
const declarations = async () => (await (await proxy.admin('/v1/declarations')).json()) as DeclarationStatus[];
const statusOf = async (host: string, path = '/') => (await proxy.request({ host, path })).status;
const told = (text: string, since = 0) =>
  until(`“${text}” is told`, () => proxy.events.slice(since).some(({ message }) => message.includes(text)));
const serves = (host: string, path = '/') =>
  until(`${host}${path} is served`, async () => (await statusOf(host, path)) === 200);
const is404 = (host: string) => until(`${host} is gone`, async () => (await statusOf(host)) === 404);

test('a service appears by a tag, serves, and goes when it is listed no more', async () => {
  await register('shop', { tags: ['live', 'pilotlight.route=shop.example/api', 'pilotlight.route.strip=true'] });
  await told('shop is declared by Consul service shop');
  await serves('shop.example', '/api/x');
  expect((await proxy.request({ host: 'shop.example', path: '/api/x' })).body.toString()).toBe('/x');
  await remove('shop');
  await told('shop is gone with Consul service shop');
  await is404('shop.example');
});

test('a service appears by metadata alone, and metadata goes over tags', async () => {
  await register('meta', { meta: { pilotlight_route: 'meta.example' } });
  await serves('meta.example');
  await register('meta', { tags: ['pilotlight.route=tag.example'], meta: { pilotlight_route: 'other.example' } });
  await serves('other.example');
  expect(await statusOf('tag.example')).toBe(404);
  expect(await statusOf('meta.example')).toBe(404);
  await remove('meta');
  await is404('other.example');
});

test('what is wrong is told by service, tag or metadata, and what was expected; what was right before holds', async () => {
  await register('wrong', { tags: ['pilotlight.route=wrong.example', 'pilotlight.hold.tiemout=1s'] });
  const line = 'tag pilotlight.hold.tiemout: unknown option "tiemout" (did you mean "timeout"?)';
  await told(`Consul service wrong: ${line}`);
  expect(await statusOf('wrong.example')).toBe(404);
  expect(await declarations()).toMatchObject([
    { source: 'consul', title: 'Consul service wrong', state: 'refused', problems: [line] },
  ]);
  await register('wrong', { tags: ['pilotlight.route=wrong.example'] });
  await serves('wrong.example');
  await register('wrong', { meta: { pilotlight_route: 'wrong.example', pilotlight_hold_timeout: 'soon' } });
  await told('Consul service wrong: meta pilotlight_hold_timeout: expected a duration');
  expect((await declarations())[0]?.state).toBe('former');
  expect(await statusOf('wrong.example')).toBe(200);
  await remove('wrong');
  await is404('wrong.example');
});

test('a host of the file, and what an older service has, cannot be taken until that one is gone', async () => {
  await register('first', { tags: ['pilotlight.route=own.example'] });
  await serves('own.example');
  await register('second', { tags: ['pilotlight.route=own.example'] });
  await register('thief', { tags: ['pilotlight.route=filed.example/login'] });
  await told('Consul service second: own.example/ belongs to Consul service first');
  await told("Consul service thief: filed.example/login: the host filed.example is the file's");
  await remove('first', 'thief');
  await told('second is declared by Consul service second');
  await serves('own.example');
  await remove('second');
  await is404('own.example');
});

test('tags of fabio and of Traefik stay as they are', async () => {
  await register('fab', { tags: ['urlprefix-fab.example/api strip=/api', 'urlprefix-fab.example/'] });
  await register('tra', { tags: ['traefik.http.routers.r.rule=Host(`tra.example`)', 'traefik.enable=true'] });
  await serves('tra.example');
  await serves('fab.example');
  expect((await proxy.request({ host: 'fab.example', path: '/api/x' })).body.toString()).toBe('/x');
  expect((await declarations()).map(({ state, remarks }) => [state, remarks])).toEqual([
    ['in force', []],
    ['in force', []],
  ]);
  await remove('fab', 'tra');
  await is404('fab.example');
  await is404('tra.example');
});

test('Consul that is away and comes back takes nothing away, and is followed again', async () => {
  const kept = () => register('kept', { tags: ['pilotlight.route=kept.example'] });
  await kept();
  await serves('kept.example');
  const before = proxy.events.length;
  await relay.cut();
  await agent.restart();
  expect(await statusOf('kept.example')).toBe(200);
  await kept();
  await relay.restore();
  await register('later', { tags: ['pilotlight.route=later.example'] });
  await serves('later.example');
  expect(await statusOf('kept.example')).toBe(200);
  expect(proxy.events.slice(before).filter(({ type }) => type === 'undeclared')).toEqual([]);
});

test('one that says something else again and again does not make the table do so', async () => {
  const before = proxy.events.length;
  const say = (host: string) => register('flapping', { tags: [`pilotlight.route=${host}`] });
  let isHeld = false;
  for (let round = 0; round < 15; round++) {
    const isRight = round % 2 === 0;
    await say(isRight ? 'flapping.example' : 'filed.example');
    await until('it is read', async () => {
      const status = (await declarations()).find(({ service }) => service === 'flapping');
      const isHeldNow = status?.remarks.some((remark) => remark.startsWith('changes too often')) === true;
      isHeld ||= isHeldNow;
      return isHeldNow || status?.state === (isRight ? 'in force' : 'conflict');
    });
  }
  expect(isHeld).toBe(true);
  await say('calm.example');
  await serves('calm.example');
  const changes = proxy.events.slice(before).filter(({ service }) => service === 'flapping');
  expect(changes.length).toBeLessThanOrEqual(12);
});
