import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { AnswerRoom } from '../../../src/discovery/consul/answer-room.ts';
import { ConsulClient, type ConsulQuery } from '../../../src/discovery/consul/client.ts';
import { consulConnection } from '../../../src/discovery/consul/connection.ts';
import type { ConsulSettings } from '../../../src/discovery/consul/settings.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { type Clock, systemClock } from '../../../src/util/clock.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { freePort } from '../../support/free-port.ts';
import { until } from '../../support/until.ts';
import { FakeConsul, type FakeConsulOptions, healthEntry } from './fake-consul.ts';
import { consulSettings, LogKeeper } from './harness.ts';
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
  const made = new ConsulClient(consulConnection(consulSettings(address, more)), clock, silentLogger);
  onTestFinished(() => made.close());
  return made;
}

const signal = new AbortController().signal;
/** The same question for a long list, which is read another way. */
const listQuery = (): ConsulQuery => ({ ...QUERY, room: new AnswerRoom() });
const LIST = { body: expect.any(Buffer), knownLeader: true };

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

test('a list is asked for and refused as all else is, and comes as it is written', async () => {
  const fake = await openFake();
  const { ask } = client(fake.address, { token: 'secret' });
  const { body, index } = await ask({ ...listQuery(), path: '/v1/health/state/any', index: 3n }, signal);
  expect([JSON.parse(String(body)), index]).toEqual([expect.any(Array), 11n]);
  expect(fake.asked).toMatchObject([{ url: '/v1/health/state/any?stale&index=3&wait=0s', token: 'secret' }]);
  fake.lie = () => ({ status: 403, body: 'Permission denied' });
  await expect(ask(listQuery(), signal)).rejects.toMatchObject({
    code: 'DISCOVERY_FAILED',
    message: 'answers with status 403: Permission denied',
  });
  expect(fake.sockets.size).toBe(1);
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

describe('of several agents', () => {
  test('the next one is asked where one does not answer, and stays the one that is', async () => {
    const [first, second] = [await openFake(), await openFake()];
    const log = new LogKeeper();
    const addresses = [first.address, second.address];
    const asking = new ConsulClient(consulConnection(consulSettings(addresses)), systemClock, log);
    onTestFinished(() => asking.close());
    await asking.ask(QUERY, signal);
    await first.close();
    expect(await asking.ask(listQuery(), signal)).toMatchObject(LIST);
    await asking.ask(QUERY, signal);
    expect([first.asked.length, second.asked.length]).toEqual([1, 2]);
    const said = `warn the agent of Consul at ${addresses[0]} does not answer: connection refused; ${addresses[1]} is asked from now on`;
    expect(log.lines).toEqual([said]);
    expect(asking.contact).toEqual({
      agents: [
        { address: addresses[0], isAsked: false, isLeft: true },
        { address: addresses[1], isAsked: true, isLeft: false },
      ],
      index: expect.stringMatching(/^\d+$/),
    });
    await second.close();
    await expect(asking.ask(QUERY, signal)).rejects.toMatchObject({ code: 'DISCOVERY_UNREACHABLE' });
    await expect(asking.ask(QUERY, signal)).rejects.toMatchObject({ code: 'DISCOVERY_UNREACHABLE' });
    expect(log.lines).toHaveLength(2);
  });

  test('one that lacks another datacenter is not left, but one that lacks its own servers, whatever it was asked', async () => {
    const [first, second] = [await openFake(), await openFake()];
    const addresses = [first.address, second.address];
    const asking = new ConsulClient(consulConnection(consulSettings(addresses)), systemClock, silentLogger);
    onTestFinished(() => asking.close());
    const asked = () => asking.contact.agents.find(({ isAsked }) => isAsked)?.address;
    const question = { ...QUERY, parameters: ['dc=dc2'] };
    for (const [body, next] of [
      ['No path to datacenter', first],
      ['rpc error making call: No cluster leader', first],
      ['No known Consul servers', second],
    ] as const) {
      first.lie = () => ({ status: 500, body });
      await expect(asking.ask(question, signal)).rejects.toMatchObject({ code: 'DISCOVERY_FAILED' });
      expect(asked()).toBe(next.address);
    }
  });

  test('one by which another datacenter is silent is left only where it is silent itself', async () => {
    const [first, second] = [await openFake(), await openFake()];
    const clock = new VirtualClock();
    const asking = new ConsulClient(
      consulConnection(consulSettings([first.address, second.address])),
      clock,
      silentLogger,
    );
    onTestFinished(() => asking.close());
    const asked = () => asking.contact.agents.find(({ isAsked }) => isAsked)?.address;
    const silent = async () => {
      const { length } = first.asked;
      const questions = [QUERY, listQuery()].map((query) =>
        asking.ask({ ...query, parameters: ['dc=dc%202'] }, signal).catch((error) => error),
      );
      await until('the questions', () => first.asked.length === length + 2);
      clock.advance(QUERY.timeoutMs);
      return { length, questions };
    };
    first.lie = (url) => (url.includes('dc=') ? 'hang' : undefined);
    for (const error of await Promise.all((await silent()).questions))
      expect(error).toMatchObject({
        code: 'DISCOVERY_FAILED',
        message: 'has no answer from datacenter dc 2 in time',
      });
    expect(asked()).toBe(first.address);
    // Asked once for both.
    expect(first.asked.map(({ url }) => url).filter((url) => url === '/v1/status/leader')).toHaveLength(1);
    first.lie = () => 'hang';
    const { length, questions } = await silent();
    await until('whether it answers', () => first.asked.length === length + 3);
    clock.advance(2000);
    for (const error of await Promise.all(questions)) expect(error).toMatchObject({ code: 'DISCOVERY_UNREACHABLE' });
    expect(asked()).toBe(second.address);
  });

  test('one that is out of touch with its servers, or silent, is left', async () => {
    const [first, second] = [await openFake(), await openFake()];
    const clock = new VirtualClock();
    const settings = consulSettings([first.address, second.address]);
    const asking = new ConsulClient(consulConnection(settings), clock, silentLogger);
    onTestFinished(() => asking.close());
    first.lie = () => ({ status: 500, body: 'No cluster leader' });
    await expect(asking.ask(QUERY, signal)).rejects.toMatchObject({ code: 'DISCOVERY_FAILED' });
    expect(await asking.ask(QUERY, signal)).toMatchObject({ body: [{}] });
    second.lie = () => 'hang';
    first.lie = () => undefined;
    const late = asking.ask(QUERY, signal).catch((error) => error);
    await until('the question', () => second.asked.length === 2);
    clock.advance(QUERY.timeoutMs);
    expect(await late).toMatchObject({ message: 'timed out' });
    expect(await asking.ask(QUERY, signal)).toMatchObject({ body: [{}] });
  });
});

test('an agent that fails a question of before does not have the one left that is asked by then', async () => {
  const held: ServerResponse[] = [];
  const first = createServer(({ url }, response) => {
    if (url?.includes('index=')) held.push(response);
    else response.writeHead(500).end('No cluster leader');
  });
  await new Promise<void>((resolve) => first.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    first.closeAllConnections();
    first.close();
  });
  const second = await openFake();
  const addresses = [`http://127.0.0.1:${(first.address() as AddressInfo).port}`, second.address];
  const asking = new ConsulClient(consulConnection(consulSettings(addresses)), systemClock, silentLogger);
  onTestFinished(() => asking.close());
  const waiting = asking.ask({ ...QUERY, index: 5n, waitMs: 60_000 }, signal).catch((error) => error);
  await until('it waits', () => held.length === 1);
  await expect(asking.ask(QUERY, signal)).rejects.toMatchObject({ code: 'DISCOVERY_FAILED' });
  held[0]?.writeHead(500).end('No cluster leader');
  expect(await waiting).toMatchObject({ code: 'DISCOVERY_FAILED' });
  expect(asking.contact.agents.map(({ isAsked }) => isAsked)).toEqual([false, true]);
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

  test('and is shown a certificate where it asks for one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pilotlight-ca-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [caCert, cert, key] = ['ca.pem', 'own.pem', 'own.key'].map((name) => join(folder, name));
    const fake = await openFake({ tls: { ...TLS_FIXTURE, ca: TLS_FIXTURE.cert, requestCert: true } });
    await writeFile(caCert as string, TLS_FIXTURE.cert);
    const address = `https://127.0.0.1:${fake.port}`;
    await expect(client(address, { caCert }).ask(QUERY, signal)).rejects.toThrow();
    const { ask } = client(address, { caCert, cert, key });
    await expect(ask(QUERY, signal)).rejects.toMatchObject({
      message: `cannot read Consul's client certificate ${cert} (ENOENT)`,
    });
    await writeFile(cert as string, TLS_FIXTURE.cert);
    await writeFile(key as string, TLS_FIXTURE.key);
    expect(await ask(QUERY, signal)).toMatchObject({ body: [{}] });
    expect(await ask(listQuery(), signal)).toMatchObject(LIST);
    const other = client(address, { caCert, cert, key, serverName: 'other.test' });
    const message = expect.stringContaining('other.test');
    for (const query of [QUERY, listQuery()]) await expect(other.ask(query, signal)).rejects.toMatchObject({ message });
  });

  test('and refused when nobody known did', async () => {
    const fake = await openFake({ tls: TLS_FIXTURE });
    const { ask } = client(`https://127.0.0.1:${fake.port}`);
    for (const query of [QUERY, listQuery()])
      await expect(ask(query, signal)).rejects.toMatchObject({ code: 'DISCOVERY_UNREACHABLE' });
    expect(fake.asked).toEqual([]);
  });
});

test.each([
  ['', QUERY],
  [' of a list', listQuery()],
])('no answer in time%s, nobody there and a call-off are told apart', async (_, query) => {
  const fake = await openFake();
  fake.lie = () => 'hang';
  const clock = new VirtualClock();
  const { ask } = client(fake.address, {}, clock);
  const late = ask(query, signal).catch((error) => error);
  await until('the question', () => fake.asked.length === 1);
  clock.advance(QUERY.timeoutMs);
  expect(await late).toMatchObject({ code: 'DISCOVERY_UNREACHABLE', message: 'timed out' });
  const nobody = client(`http://127.0.0.1:${await freePort()}`).ask(query, signal);
  await expect(nobody).rejects.toMatchObject({ code: 'DISCOVERY_UNREACHABLE', message: 'connection refused' });
  const abort = new AbortController();
  const calledOff = ask(query, abort.signal);
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
  expect(consulConnection(consulSettings('http://me:pw@consul.local:80/x')).origins).toBe('http://consul.local');
});
