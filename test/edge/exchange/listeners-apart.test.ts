import { describe, expect, test } from 'vitest';
import type { RouteView } from '../../../src/model/snapshot.ts';
import { makeCertificate, tlsMaterial } from '../../support/certificates.ts';
import { type ListenChange, listenSettings } from '../../support/listen-settings.ts';
import { tlsConnect } from '../client/tls/tls-client.ts';
import { at, EdgeHarness, policy, state } from '../edge-harness.ts';
import { answering, Client, Origin, ok } from '../wire.ts';

const tls = tlsMaterial([makeCertificate()]);
const origin = (text: string, fields = '') => Origin.listen(answering(() => ok(text).replace('\r\n', `\r\n${fields}`)));

/** An edge with these listeners. @returns it and their ports */
async function start(listeners: ListenChange[], routes?: RouteView[], change: Parameters<typeof policy>[0] = {}) {
  const h = new EdgeHarness();
  const ports = (await h.edge.listen(listeners.map((each, index) => ({ ...listenSettings(each, place(index)) })))).map(
    ({ port }) => port,
  );
  h.port = ports[0] as number;
  h.table([policy(change), policy({ name: 'inside' })], routes ? { routes } : {});
  h.state({ endpoints: [at(await origin('app'))] });
  h.send({
    type: 'service',
    version: 99,
    state: state({ service: 'inside', endpoints: [at(await origin('inside'), { id: 'i' })] }),
  });
  return { h, ports: ports as [number, number, number] };
}

/** Several listeners on free ports have to differ. */
const place = (index: number) => ({ host: `127.0.0.${index + 1}`, port: 0 });

async function get(port: number, index: number, request: string) {
  const client = await Client.open(port, `127.0.0.${index + 1}`);
  client.write(request);
  return client.answer();
}
const GET = (path: string, host = 'app.test') => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;

describe('plain requests are sent to https', () => {
  test.each([
    ['/a/b?c=d&e', 'app.test', '/a/b?c=d&e'],
    ['/', 'app.test:8080', '/'],
    ['//evil.test/x', 'app.test', '//evil.test/x'],
    ['/a\\b', 'app.test', '/a%5Cb'],
    ['/', '[::1]:80', '/'],
  ])('%s of %s', async (path, host, target) => {
    const { ports } = await start([{ redirectToHttps: true }, { tls }]);
    const { status, fields } = await get(ports[0], 0, GET(path, host));
    const name = host.replace(/:\d+$/, '');
    expect([status, fields['location']]).toEqual([308, [`https://${name}:${ports[1]}${target}`]]);
  });

  test('but for challenges of ACME, which are routed', async () => {
    const { ports } = await start([{ redirectToHttps: true }, { tls }]);
    expect((await get(ports[0], 0, GET('/.well-known/acme-challenge/token'))).text).toBe('app');
    expect((await get(ports[0], 0, GET('/.well-known/other'))).status).toBe(308);
  });

  test('a request without a host is not', async () => {
    const { ports } = await start([{ redirectToHttps: true }, { tls }]);
    expect((await get(ports[0], 0, 'GET / HTTP/1.0\r\n\r\n')).status).toBe(400);
  });

  test('a trusted proxy that came by https is served', async () => {
    const { h, ports } = await start([{ redirectToHttps: true }, { tls }]);
    h.table([policy()], { trustedProxies: ['127.0.0.1'] });
    const request = (proto: string) => GET('/').replace('\r\n\r\n', `\r\nX-Forwarded-Proto: ${proto}\r\n\r\n`);
    expect((await get(ports[0], 0, request('https'))).text).toBe('app');
    expect((await get(ports[0], 0, request('http'))).status).toBe(308);
  });

  test('it wakes nothing, and counts as no request of the service', async () => {
    const { h, ports } = await start([{ redirectToHttps: true }, { tls }]);
    await get(ports[0], 0, GET('/'));
    expect(await h.sum('arrivals')).toBe(0);
    expect(h.all('demand')).toEqual([]);
  });
});

describe('routes are tied to listeners', () => {
  const routes: RouteView[] = [
    { host: undefined, path: '/', service: 'app' },
    { host: undefined, path: '/admin', service: 'inside', on: ['lan'] },
    { host: 'both.test', path: '/', service: 'app', on: ['public'] },
    { host: 'both.test', path: '/', service: 'inside', on: ['lan'] },
    { host: 'lan.test', path: '/', service: 'inside', on: ['lan'] },
  ];
  const listeners: ListenChange[] = [{ name: 'public' }, { name: 'lan' }, {}];

  test.each([
    [0, '/', 'app.test', 'app'],
    [0, '/admin', 'app.test', 'app'],
    [1, '/admin', 'app.test', 'inside'],
    [2, '/admin', 'app.test', 'app'],
    [0, '/', 'both.test', 'app'],
    [1, '/', 'both.test', 'inside'],
    [1, '/', 'lan.test', 'inside'],
    [0, '/', 'lan.test', 'app'],
  ])('listener %i, %s of %s leads to %s', async (index, path, host, text) => {
    const { ports } = await start(listeners, routes);
    expect((await get(ports[index] as number, index, GET(path, host))).text).toBe(text);
  });

  test('a host of another listener is misdirected over TLS, and unknown in clear text', async () => {
    const tied = routes.slice(2);
    const { ports } = await start([{ name: 'public', tls }, { name: 'lan', tls }, {}], tied);
    const ask = async (index: number, host: string) => {
      const client = await tlsConnect(ports[index] as number, { host: `127.0.0.${index + 1}` });
      return client.ask('/', `X-Other: x\r\n`, host);
    };
    expect(await ask(0, 'lan.test')).toMatch(/^HTTP\/1\.1 421 /);
    expect(await ask(1, 'lan.test')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await ask(0, 'nowhere.test')).toMatch(/^HTTP\/1\.1 404 /);
    expect((await get(ports[2], 2, GET('/', 'lan.test'))).status).toBe(404);
  });
});

describe('browsers are told to come by https', () => {
  const HSTS = 'strict-transport-security: max-age=15552000';
  const hstsMs = 180 * 86_400_000;

  test('on answers by https alone', async () => {
    const { ports } = await start([{}, { tls }], undefined, { hstsMs });
    expect((await get(ports[0], 0, GET('/'))).fields['strict-transport-security']).toBeUndefined();
    const client = await tlsConnect(ports[1], { host: '127.0.0.2' });
    expect((await client.ask()).toLowerCase()).toContain(HSTS);
  });

  test('not twice, where the service says it', async () => {
    const { h, ports } = await start([{}, { tls }], undefined, { hstsMs });
    h.state({ endpoints: [at(await origin('own', 'Strict-Transport-Security: max-age=1\r\n'), { id: 'own' })] });
    const client = await tlsConnect(ports[1], { host: '127.0.0.2' });
    const answer = await client.ask();
    expect(answer.match(/strict-transport-security: [^\r]*/gi)).toEqual(['Strict-Transport-Security: max-age=1']);
  });
});
