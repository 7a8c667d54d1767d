import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ConsulClient, type ConsulQuery } from '../../../src/discovery/consul/client.ts';
import { consulConnection } from '../../../src/discovery/consul/connection.ts';
import type { ConsulSettings } from '../../../src/discovery/consul/settings.ts';
import { type Clock, systemClock } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { FakeConsul, type FakeConsulOptions, healthEntry } from './fake-consul.ts';
import { consulSettings } from './harness.ts';
import { TLS_FIXTURE } from './tls-fixture.ts';

const QUERY: ConsulQuery = { path: '/v1/health/service/shop', index: 0n, waitMs: 0, stale: true, timeoutMs: 5000 };

/** A Consul that closes no connection by itself, so that it shows when we do. */
async function openFake(options: FakeConsulOptions = {}): Promise<FakeConsul> {
  const fake = await FakeConsul.open({ keepAliveMs: 120_000, ...options });
  onTestFinished(() => fake.close());
  fake.set('shop', [healthEntry({})]);
  return fake;
}

function client(address: string, more: Partial<ConsulSettings> = {}, clock: Clock = systemClock): ConsulClient {
  const made = new ConsulClient(consulConnection(consulSettings(address, more)), clock);
  onTestFinished(() => made.close());
  return made;
}

const signal = new AbortController().signal;

test('a question carries index and wait in the way Consul reads them, and the answer its index and leader', async () => {
  const fake = await openFake();
  const { ask } = client(`${fake.address}/ui/`);
  expect(await ask(QUERY, signal)).toMatchObject({ index: 11n, knownLeader: true, body: [{}] });
  await ask({ ...QUERY, index: 3n, waitMs: 300_000 }, signal);
  await ask({ ...QUERY, index: 3n, waitMs: 1234.5, stale: false }, signal);
  expect(fake.asked.map(({ url }) => url)).toEqual([
    '/v1/health/service/shop?stale',
    '/v1/health/service/shop?stale&index=3&wait=300s',
    '/v1/health/service/shop?index=3&wait=1235ms',
  ]);
  expect(fake.sockets.size).toBe(1);
});

test('many first questions at once share one agent, whose connections close with it', async () => {
  const fake = await openFake();
  const made = client(fake.address);
  await Promise.all(Array.from({ length: 5 }, () => made.ask(QUERY, signal)));
  expect(fake.sockets.size).toBe(5);
  made.close();
  await until('no connection', () => fake.sockets.size === 0);
});

test('a kept connection that Consul closed meanwhile is no failure', async () => {
  const fake = await openFake();
  const { ask } = client(fake.address);
  for (let i = 0; i < 20; i++) {
    await ask(QUERY, signal);
    for (const socket of fake.sockets) socket.resetAndDestroy();
  }
  expect(fake.asked).toHaveLength(20);
});

test('an IPv6 address is dialled as it is', async () => {
  const fake = await openFake({ host: '::1' });
  const { ask } = client(`http://[::1]:${fake.port}`);
  expect(await ask(QUERY, signal)).toMatchObject({ body: [{}] });
});

describe('over TLS', () => {
  test('Consul is believed when the given CA signed it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pilotlight-ca-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const caCert = join(folder, 'ca.pem');
    const fake = await openFake({ tls: TLS_FIXTURE });
    const { ask } = client(`https://127.0.0.1:${fake.port}`, { caCert });
    await expect(ask(QUERY, signal)).rejects.toMatchObject({
      code: 'DISCOVERY_FAILED',
      message: `cannot read Consul's CA certificate ${caCert} (ENOENT)`,
    });
    await writeFile(caCert, TLS_FIXTURE.cert);
    expect(await ask(QUERY, signal)).toMatchObject({ body: [{}] });
  });

  test('and refused when nobody known did', async () => {
    const fake = await openFake({ tls: TLS_FIXTURE });
    const { ask } = client(`https://127.0.0.1:${fake.port}`);
    await expect(ask(QUERY, signal)).rejects.toMatchObject({ code: 'DISCOVERY_UNREACHABLE' });
    expect(fake.asked).toEqual([]);
  });
});

test('no answer in time, nobody there and a call-off are told apart', async () => {
  const fake = await openFake();
  fake.lie = () => 'hang';
  const clock = new VirtualClock();
  const { ask } = client(fake.address, {}, clock);
  const late = ask(QUERY, signal).catch((error) => error);
  await until('the question', () => fake.asked.length === 1);
  clock.advance(QUERY.timeoutMs);
  expect(await late).toMatchObject({ code: 'DISCOVERY_UNREACHABLE', message: 'timed out' });
  const nobody = client(`http://127.0.0.1:${await freePort()}`).ask(QUERY, signal);
  await expect(nobody).rejects.toMatchObject({ code: 'DISCOVERY_UNREACHABLE', message: 'connection refused' });
  const abort = new AbortController();
  const calledOff = ask(QUERY, abort.signal);
  await until('the question', () => fake.asked.length === 2);
  abort.abort();
  await expect(calledOff).rejects.toMatchObject({ code: 'CANCELLED' });
  await until('no connection', () => fake.sockets.size === 0);
});

test.each(['127.0.0.1:8500', 'unix:///run/consul.sock', ''])('%j is no address of Consul', (address) => {
  expect(() => consulConnection(consulSettings(address))).toThrow(
    expect.objectContaining({ code: 'DISCOVERY_FAILED' }),
  );
});

test('the name it goes by in the log has neither user nor password', () => {
  expect(consulConnection(consulSettings('http://me:pw@consul.local:80/x')).origin).toBe('http://consul.local');
});
