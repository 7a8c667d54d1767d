import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:net';
import { describe, expect, inject } from 'vitest';
import { ConsulAgent } from '../support/consul-agent.ts';
import { passingEntries, registerEntry, removeEntry } from '../support/consul-catalog.ts';
import { freePort } from '../support/free-port.ts';
import { byStatus, PacedLoad } from '../support/paced-load.ts';
import { burst, epochNow, pause } from '../support/raw-client.ts';
import { Relay } from '../support/relay.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const consul = inject('consulAddress');

/** A name that no other scenario uses in the agent that all share. */
const unique = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;

async function entry(stage: Stage, name: string, port: number, id = unique(name)): Promise<string> {
  stage.onEnd(() => removeEntry(consul, id).catch(() => undefined));
  await registerEntry(consul, { id, name, port });
  return id;
}

const leads = (address: string): Promise<boolean> =>
  fetch(`${address}/v1/status/leader`)
    .then((answer) => answer.json())
    .then((leader) => leader !== '')
    .catch(() => false);

/** Something that is not the service: answers every request with 503 and counts those of clients. */
async function stranger(stage: Stage): Promise<{ port: number; seen: () => number }> {
  let seen = 0;
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (/^x-test-id:/im.test(bytes.toString('latin1'))) seen++;
      socket.end('HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  stage.onEnd(() => server.close());
  return { port, seen: () => seen };
}

describe.concurrent('with a real Consul agent', () => {
  scenario(
    'Consul: each wake reaches the new port, although Consul still names the one before as passing',
    async (stage) => {
      const name = unique('shop');
      const endpoints = { consul: { service: name } };
      const app = await stage.app(name, { service: { endpoints } });
      const settings = { address: consul, register: 'replicas', advertise: '127.0.0.1' };
      const proxy = await stage.proxy({ apps: [app], config: { consul: settings } });
      for (let cycle = 1; cycle <= 20; cycle++) {
        const answer = await proxy.request({ host: app.host, path: `/${cycle}` });
        expect(answer.status).toBe(200);
        expect(answer.headers['x-mimic-boot']).toBe(app.log.boots().at(-1));
        expect(app.log.boots()).toHaveLength(cycle);
        // Others register what they see, under one id, and do not notice the end of it.
        const port = Number(answer.headers['x-mimic-port']);
        await entry(stage, name, port, `${name}-other`);
        const registered = async (): Promise<number[]> =>
          (await passingEntries(consul, `${name}-replica`)).map((found) => found.port);
        await until('the replica is registered', async () => (await registered()).join() === String(port));
        await proxy.sleep(name);
        await proxy.untilState(name, 'asleep');
        await until('the replica is deregistered', async () => (await registered()).length === 0);
      }
    },
    { timeout: 600_000 },
  );

  scenario('a proxy that says it is ready serves what Consul knew before', async (stage) => {
    const name = unique('shop');
    const app = await stage.app('backend');
    const backend = await stage.proxy({ apps: [app] });
    await backend.request({ host: app.host });
    await entry(stage, name, app.log.only('listening').port);
    const services = { shop: { routes: [{ host: 'shop.test' }], endpoints: { consul: { service: name } } } };
    const proxy = await stage.launch({ config: { consul: { address: consul }, services } });
    const ready = async (): Promise<boolean> => (await proxy.admin('/readyz').catch(() => undefined))?.status === 200;
    await until('it says that it is ready', ready, 40_000, 2);
    expect((await proxy.request({ host: 'shop.test' })).status).toBe(200);
  });

  scenario('a woken replica gets its request before Consul knows it, the old address never', async (stage) => {
    const name = unique('shop');
    const old = await stranger(stage);
    await entry(stage, name, old.port, `${name}-other`);
    const endpoints = { consul: { service: name } };
    const app = await stage.app(name, { mimic: { LISTEN_MS: 500 }, service: { endpoints } });
    const proxy = await stage.proxy({ apps: [app], config: { consul: { address: consul } } });
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    // Only now does Consul learn of it.
    await entry(stage, name, app.log.only('ready').port, `${name}-other`);
    for (let turn = 0; turn < 10; turn++) expect((await proxy.request({ host: app.host })).status).toBe(200);
    expect(app.log.boots()).toHaveLength(1);
    expect(old.seen()).toBe(0);
    // Nobody asked for a registration of ours.
    expect(await passingEntries(consul, `${name}-replica`)).toEqual([]);
  });

  scenario('a passing entry of a dead replica does not get the request, a real start does', async (stage) => {
    const name = unique('shop');
    await entry(stage, name, await freePort());
    const endpoints = { consul: { service: name } };
    const app = await stage.app(name, { service: { endpoints } });
    const proxy = await stage.proxy({ apps: [app], config: { consul: { address: consul } } });
    await pause(500);
    const answer = await proxy.request({ host: app.host });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-mimic-boot']).toBe(app.log.only('boot').boot);
    expect(answer.headers['x-cold-start']).toBe('1');
  });

  scenario('a passing entry whose port now belongs to another service is not believed either', async (stage) => {
    const name = unique('shop');
    const other = await stage.app('other');
    const app = await stage.app(name, { service: { endpoints: { consul: { service: name } } } });
    const proxy = await stage.proxy({ apps: [other, app], config: { consul: { address: consul } } });
    const port = Number((await proxy.request({ host: other.host })).headers['x-mimic-port']);
    await entry(stage, name, port);
    await pause(500);
    const answer = await proxy.request({ host: app.host, id: 'mine' });
    expect(answer.status).toBe(200);
    expect([app.log.seen('mine'), other.log.seen('mine')]).toEqual([1, 0]);
  });

  scenario(
    'Consul restarts and its index begins again: no route flaps, no request fails, no busy loop',
    async (stage) => {
      const agent = await ConsulAgent.start(inject('consulBinary'));
      stage.onEnd(() => agent.stop());
      const relayPort = await freePort();
      const relay = await Relay.open({ port: relayPort }, { port: Number(new URL(agent.address).port) });
      stage.onEnd(() => relay.cut());

      const app = await stage.app('backend');
      const backend = await stage.proxy({ apps: [app] });
      await backend.request({ host: app.host });
      const port = Number(app.log.only('listening').port);
      const register = () => registerEntry(agent.address, { id: 'shop-1', name: 'shop', port });
      // Other entries push the index up, so that it goes back for certain.
      for (let turn = 0; turn < 20; turn++) await registerEntry(agent.address, { id: `x${turn}`, name: 'x', port: 1 });
      await register();

      const routed = { routes: [{ host: 'shop.test' }], endpoints: { consul: { service: 'shop' } } };
      const config = { consul: { address: `http://127.0.0.1:${relayPort}` }, services: { shop: routed } };
      const proxy = await stage.proxy({ config });
      await proxy.untilState('shop', 'ready');
      const load = PacedLoad.start({ port: proxy.port, host: 'shop.test', rate: 50 });
      await pause(1_000);
      await agent.stop();
      // As the owners of entries do: as soon as there is a leader who keeps what he is told.
      const restarting = agent.restart();
      await until('there is a leader', () => leads(agent.address), 30_000, 10);
      await register();
      await restarting;
      await pause(5_000);
      const [asked, since] = [relay.requests.length, epochNow()];
      await pause(3_000);
      expect((relay.requests.length - asked) / (epochNow() - since)).toBeLessThan(10 / 1000);
      const samples = await load.stop();
      expect(byStatus(samples)).toEqual({ 200: samples.length });

      // It follows again: a second address, and the end of the first, are noticed.
      const second = await stage.app('second');
      const other = await stage.proxy({ apps: [second] });
      await other.request({ host: second.host });
      await registerEntry(agent.address, { id: 'shop-2', name: 'shop', port: second.log.only('listening').port });
      const answering = async (): Promise<string[]> => {
        const answers = await burst(proxy.port, 20, { host: 'shop.test' });
        return [...new Set(answers.map(({ headers }) => headers['x-mimic-boot'] ?? ''))].sort();
      };
      const [first, last] = [app.log.only('boot').boot, second.log.only('boot').boot];
      const both = [first, last].sort().join();
      await until('the second address is used', async () => (await answering()).join() === both);
      await removeEntry(agent.address, 'shop-1');
      await until('the first address is forgotten', async () => (await answering()).join() === last);
    },
    { timeout: 600_000 },
  );

  scenario('without samples and without Consul nothing is scaled', async (stage) => {
    const agent = await ConsulAgent.start(inject('consulBinary'));
    stage.onEnd(() => agent.stop());
    const guards = { downWindow: '2s', stepDownEvery: '1s', warmUp: '0s' };
    const scale = { initial: 2, max: 4, idle: 'never', latency: { above: '50ms', window: '2s' }, guards };
    const app = await stage.app('shop', { service: { scale, endpoints: { consul: { service: 'shop' } } } });
    const proxy = await stage.proxy({ apps: [app], config: { consul: { address: agent.address } } });
    await proxy.wake(app.name);
    await until('both replicas run', () => app.log.events('ready').length === 2);
    await pause(1_000);
    await agent.stop();
    const decisions = await proxy.metric('pilotlight_scale_decisions_total');
    await pause(8_000);
    expect(app.log.boots()).toHaveLength(2);
    expect(app.log.events('term')).toEqual([]);
    expect(await proxy.metric('pilotlight_scale_decisions_total')).toBe(decisions);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
  });
});
