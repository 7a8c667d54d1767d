import { createServer } from 'node:net';
import { expect, inject, onTestFinished, test, vi } from 'vitest';
import { createConsulRegistrar } from '../../src/discovery/consul/registrar.ts';
import { silentLogger } from '../../src/model/observe.ts';
import { systemClock } from '../../src/util/clock.ts';
import { consulSettings, follows, runSource } from '../discovery/consul/harness.ts';
import { passingEntries, registerEntry, removeEntry } from '../support/consul-catalog.ts';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';

// A busy machine may take many seconds for what an engine does in one.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const consul = inject('consulAddress');
const signal = new AbortController().signal;

const registrarOf = (instance: string) =>
  createConsulRegistrar({ settings: consulSettings(consul), clock: systemClock, logger: silentLogger, instance });

async function listen(): Promise<number> {
  const port = await freePort();
  const server = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
  onTestFinished(() => void server.close());
  return port;
}

test('an entry passes from the start, is listed as ours, and is gone after deregistering', async () => {
  const registrar = registrarOf('reg1');
  const port = await listen();
  const entry = { id: 'pilotlight-reg1-shop-1', name: 'reg-replica', host: '127.0.0.1', port, tags: ['a'] };
  await registrar.register(entry, signal);
  await until('the entry', async () => (await passingEntries(consul, 'reg-replica')).length === 1);
  expect(await passingEntries(consul, 'reg-replica')).toEqual([
    { id: 'pilotlight-reg1-shop-1', address: '127.0.0.1', port, tags: ['a'] },
  ]);
  expect(await registrar.registered(signal)).toEqual(['pilotlight-reg1-shop-1']);
  expect(await registrarOf('reg').registered(signal)).toEqual([]);

  await registrar.register({ ...entry, port: await listen() }, signal);
  expect(await registrar.registered(signal)).toHaveLength(1);

  await registrar.deregister(entry.id, signal);
  await registrar.deregister(entry.id, signal);
  expect(await registrar.registered(signal)).toEqual([]);
  await until('no entry', async () => (await passingEntries(consul, 'reg-replica')).length === 0);
});

test('what is registered is not found by the source, other instances are', async () => {
  const registrar = registrarOf('reg2');
  const port = await listen();
  const { sets, now } = runSource(consulSettings(consul), [follows('reg-shop')]);
  await until('the first set', () => sets.length === 1);
  await registrar.register({ id: 'pilotlight-reg2-shop', name: 'reg-shop', host: '127.0.0.1', port, tags: [] }, signal);
  onTestFinished(() => registrar.deregister('pilotlight-reg2-shop', signal));
  await registerEntry(consul, { id: 'reg-other', name: 'reg-shop', port: 4444 });
  onTestFinished(() => removeEntry(consul, 'reg-other'));
  await until('the other one', () => now('reg-shop')?.length === 1);
  expect(now('reg-shop')).toEqual(['127.0.0.1:4444']);
  await until('both are listed', async () => (await passingEntries(consul, 'reg-shop')).length === 2);
});

test('what nobody listens on is out of use after a while without any doing of ours', async () => {
  const registrar = registrarOf('reg3');
  const entry = { id: 'pilotlight-reg3-gone', name: 'reg-gone', host: '127.0.0.1', port: await freePort(), tags: [] };
  await registrar.register(entry, signal);
  onTestFinished(() => registrar.deregister(entry.id, signal));
  await until('critical', async () => (await passingEntries(consul, 'reg-gone')).length === 0, 90_000);
  expect(await registrar.registered(signal)).toEqual([entry.id]);
});
