import { inspect } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { createConsulRegistrar } from '../../../src/discovery/consul/registrar.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { FakeConsul } from './fake-consul.ts';
import { consulSettings } from './harness.ts';

const TOKEN = 's3cr3t-t0k3n';
const ENTRY = { id: 'pilotlight-me-shop-1', name: 'shop-replica', host: '127.0.0.1', port: 8080, tags: [] };
const signal = new AbortController().signal;

async function openFake(): Promise<FakeConsul> {
  const fake = await FakeConsul.open();
  onTestFinished(() => fake.close());
  return fake;
}

const registrarAt = (address: string, clock = systemClock) => {
  const settings = consulSettings(address, { token: TOKEN });
  return createConsulRegistrar({ settings, clock, logger: silentLogger, instance: 'me' });
};

test('a refusal names what failed, where and why, and holds the token nowhere', async () => {
  const fake = await openFake();
  const body = `Permission denied for ${TOKEN}`;
  fake.lie = () => ({ status: 403, body, headers: { 'Content-Type': 'text/plain' } });
  const failure = await registrarAt(fake.address)
    .register(ENTRY, signal)
    .catch((error) => error);
  expect(failure).toMatchObject({
    code: 'DISCOVERY_FAILED',
    message: `register pilotlight-me-shop-1 in Consul at ${fake.address}: status 403: Permission denied for [token]`,
  });
  expect(inspect(failure, { depth: 9 })).not.toContain(TOKEN);
  expect(fake.asked[0]?.token).toBe(TOKEN);
});

test('nobody there is told as such', async () => {
  const address = `http://127.0.0.1:${await freePort()}`;
  await expect(registrarAt(address).registered(signal)).rejects.toMatchObject({
    code: 'DISCOVERY_UNREACHABLE',
    message: `list our entries in Consul at ${address}: connection refused`,
  });
});

test.each([
  [404, 'Unknown service ID "x". Ensure that the service ID is passed, not the service name.'],
  [500, 'Unknown service "x"'],
])('taking out what is not there is done already (%i)', async (status, body) => {
  const fake = await openFake();
  fake.lie = () => ({ status, body });
  await registrarAt(fake.address).deregister('pilotlight-me-x', signal);
  expect(fake.asked[0]?.url).toBe('/v1/agent/service/deregister/pilotlight-me-x');
});

test('only the entries of this instance are listed', async () => {
  const fake = await openFake();
  const services = {
    'pilotlight-me-b': { Meta: { pilotlight: 'me' } },
    'pilotlight-me-a': { Meta: { pilotlight: 'me' } },
    'pilotlight-me-too-a': { Meta: { pilotlight: 'me-too' } },
    'pilotlight-me-c': { Meta: null },
    other: { Meta: { pilotlight: 'me' } },
  };
  fake.lie = () => ({ body: JSON.stringify(services), headers: { 'Content-Type': 'application/json' } });
  expect(await registrarAt(fake.address).registered(signal)).toEqual(['pilotlight-me-a', 'pilotlight-me-b']);
});

test('an answer that is no list of services is a failure', async () => {
  const fake = await openFake();
  fake.lie = () => ({ body: 'null', headers: { 'Content-Type': 'application/json' } });
  await expect(registrarAt(fake.address).registered(signal)).rejects.toMatchObject({ code: 'DISCOVERY_FAILED' });
});

test('a call that Consul does not answer ends after 5 s, and at once when called off', async () => {
  const fake = await openFake();
  fake.lie = () => 'hang';
  const clock = new VirtualClock();
  const registrar = registrarAt(fake.address, clock);
  const late = registrar.deregister('x', signal).catch((error) => error);
  await until('the call', () => fake.asked.length === 1);
  clock.advance(5000);
  expect(await late).toMatchObject({ code: 'DISCOVERY_UNREACHABLE', message: expect.stringContaining('timed out') });

  const abort = new AbortController();
  const calledOff = registrar.deregister('x', abort.signal).catch((error) => error);
  await until('the call', () => fake.asked.length === 2);
  abort.abort();
  expect(await calledOff).toMatchObject({ code: 'CANCELLED' });
  await until('no connection', () => fake.sockets.size === 0);
  expect(clock.pending).toBe(0);
});
