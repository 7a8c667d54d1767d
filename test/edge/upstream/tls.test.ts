import { createSecureServer } from 'node:http2';
import { createServer, type Server, type TlsOptions } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { UpstreamPolicy, UpstreamTls } from '../../../src/model/upstream.ts';
import { type Made, makeCertificate } from '../../support/certificates.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { answering, deadPort, Origin, OriginConnection, ok, until } from '../wire.ts';

const authority = makeCertificate({ names: [], subject: '/CN=authority', isAuthority: true });
const site = makeCertificate({ names: ['app.test', 'IP:127.0.0.1'], by: authority });

interface TlsOrigin {
  port: number;
  server: Server;
  /** Names that were asked for, and whether the handshake was a short one. */
  handshakes: { name: string | false | undefined; isShort: boolean }[];
}

async function tlsOrigin(pair: Made = site, options: TlsOptions = {}): Promise<TlsOrigin> {
  const handshakes: TlsOrigin['handshakes'] = [];
  const server = createServer({ cert: pair.cert, key: pair.key, ALPNProtocols: ['http/1.1'], ...options }, (socket) => {
    handshakes.push({ name: socket.servername as string | false, isShort: socket.isSessionReused() });
    const script = answering(() => ok('secret'));
    void Promise.resolve(script(new OriginConnection(socket))).catch(() => socket.destroy());
  });
  server.on('tlsClientError', () => {});
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, server, handshakes };
}

function tls(change: Partial<UpstreamTls> = {}): UpstreamTls {
  return { ca: authority.cert, cert: undefined, key: undefined, serverName: undefined, verify: true, ...change };
}

async function edgeBefore(
  origin: { port: number },
  change: Partial<UpstreamTls> = {},
  more: { proxyProtocol?: 'v1'; protocol?: 'http2'; serverName?: string } = {},
): Promise<EdgeHarness> {
  const { proxyProtocol = false, protocol = 'http1', serverName } = more;
  const upstream: UpstreamPolicy = { protocol, proxyProtocol, tls: tls(change) };
  const edge = await EdgeHarness.start(policy({ upstream, retries: { max: 0 }, wakeable: false }));
  edge.state({ endpoints: [at(origin, { serverName })] });
  return edge;
}

async function ask(edge: EdgeHarness) {
  const client = await edge.connect();
  client.get();
  return client.answer();
}

describe('a service that speaks TLS', () => {
  test('is verified by its address, and its connection is used again', async () => {
    const origin = await tlsOrigin();
    const edge = await edgeBefore(origin);
    const client = await edge.connect();
    for (let index = 0; index < 2; index++) {
      client.get();
      expect((await client.answer()).text).toBe('secret');
    }
    expect(origin.handshakes).toEqual([{ name: false, isShort: false }]);
  });

  test('is asked by the name that it was looked up from, or by that of the configuration', async () => {
    const origin = await tlsOrigin(makeCertificate({ names: ['app.test', 'other.test'], by: authority }));
    expect((await ask(await edgeBefore(origin, {}, { serverName: 'app.test' }))).text).toBe('secret');
    const named = await edgeBefore(origin, { serverName: 'other.test' }, { serverName: 'app.test' });
    expect((await ask(named)).text).toBe('secret');
    expect(origin.handshakes.map(({ name }) => name)).toEqual(['app.test', 'other.test']);
  });

  test('has a short handshake the second time', async () => {
    const origin = await tlsOrigin();
    const edge = await edgeBefore(origin);
    await ask(edge);
    await until(() => origin.handshakes.length === 1, 'a handshake');
    await edge.pass(6000, 1000);
    expect((await ask(edge)).text).toBe('secret');
    expect(origin.handshakes.map(({ isShort }) => isShort)).toEqual([false, true]);
  });

  test('is shown the certificate of the proxy', async () => {
    const own = makeCertificate({ names: ['proxy.test'], by: authority });
    const origin = await tlsOrigin(site, { requestCert: true, ca: authority.cert });
    expect((await ask(await edgeBefore(origin, own))).text).toBe('secret');
  });

  test('gets a PROXY header in front of the handshake', async () => {
    let header = '';
    const origin = await tlsOrigin();
    const front = await Origin.listen(async (connection) => {
      header = (await connection.readThrough('\r\n')) ?? '';
      const { connect } = await import('node:net');
      const inner = connect(origin.port, '127.0.0.1');
      inner.write(connection.take(connection.available));
      connection.socket.pipe(inner).pipe(connection.socket);
      inner.on('error', () => {});
    });
    expect((await ask(await edgeBefore(front, {}, { proxyProtocol: 'v1' }))).text).toBe('secret');
    expect(header).toContain('PROXY TCP4 127.0.0.1 127.0.0.1');
  });

  test('is probed by TLS', async () => {
    const origin = await tlsOrigin();
    const edge = await edgeBefore(origin);
    const check = { kind: 'http', path: '/', hostHeader: 'app.test', statusMin: 200, statusMax: 299 } as const;
    const { port } = origin;
    edge.send({
      type: 'probe',
      probe: 'p',
      service: 'app',
      endpoint: 'e2',
      host: '127.0.0.1',
      port,
      check,
      timeoutMs: 60_000,
    });
    expect(await edge.message('probed')).toMatchObject({ ok: true });
  });

  test('speaks HTTP/2 where that is agreed', async () => {
    const server = createSecureServer({ cert: site.cert, key: site.key }, (_, response) => response.end('two'));
    onTestFinished(() => void server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const edge = await edgeBefore(server.address() as { port: number }, {}, { protocol: 'http2' });
    expect((await ask(edge)).text).toBe('two');
  });

  test('is spoken to by the certificates of a reload from then on', async () => {
    const origin = await tlsOrigin();
    const edge = await edgeBefore(origin, { ca: makeCertificate({ isAuthority: true }).cert });
    expect((await ask(edge)).status).toBe(502);
    const upstream = { protocol: 'http1', proxyProtocol: false, tls: tls() } as const;
    edge.table(policy({ upstream, retries: { max: 0 }, wakeable: false }));
    expect((await ask(edge)).text).toBe('secret');
  });
});

describe('a handshake that fails', () => {
  const stranger = makeCertificate({ names: ['app.test', 'IP:127.0.0.1'] });
  const old = makeCertificate({
    names: ['app.test', 'IP:127.0.0.1'],
    by: authority,
    from: '20200101000000Z',
    until: '20200201000000Z',
  });
  const otherName = makeCertificate({ names: ['other.test'], by: authority });
  const untrusted = 'no authority that is trusted has signed its certificate: see upstream.tls.ca';

  test.each<[string, Made, TlsOptions, string]>([
    ['an unknown authority', stranger, {}, untrusted],
    ['an expired certificate', old, {}, 'its certificate has expired'],
    ['another name', otherName, {}, 'its certificate is for another name than 127.0.0.1'],
    [
      'a certificate that we do not have',
      site,
      { requestCert: true, ca: authority.cert },
      'it wants a certificate of the proxy: see upstream.tls.cert',
    ],
  ])('for %s is told with its reason, and the client knows no more than that', async (_, pair, options, reason) => {
    const origin = await tlsOrigin(pair, options);
    const edge = await edgeBefore(origin);
    const got = await ask(edge);
    const { code, retrySafe } = JSON.parse(got.text);
    expect([got.status, code, retrySafe]).toEqual([502, 'TLS_FAILED', true]);
    expect(got.fields['proxy-status']).toEqual(['pilotlight; error=tls_protocol_error']);
    expect(await edge.message('unreachable')).toMatchObject({ address: `127.0.0.1:${origin.port}`, reason });
    expect(edge.accessed[0]).toMatchObject({ reason: 'TLS handshake failed' });
  });

  test('is no matter where it is not verified', async () => {
    const origin = await tlsOrigin(stranger);
    expect((await ask(await edgeBefore(origin, { verify: false }))).text).toBe('secret');
  });

  test('with what speaks no TLS, or closes, is told as well', async () => {
    const plain = await Origin.listen((connection) => connection.write(ok('what?', '', '400 Bad Request')));
    const edge = await edgeBefore(plain);
    expect((await ask(edge)).status).toBe(502);
    expect(await edge.message('unreachable')).toMatchObject({ reason: 'it does not speak TLS' });
    const closing = await Origin.listen((connection) => connection.end());
    const other = await edgeBefore(closing);
    expect(JSON.parse((await ask(other)).text).code).toBe('TLS_FAILED');
    expect(await other.message('unreachable')).toMatchObject({
      reason: 'it closed the connection within the handshake',
    });
  });

  test('for another address than the configuration names is one too', async () => {
    const edge = await edgeBefore(await tlsOrigin(), { serverName: '127.0.0.9' });
    expect(JSON.parse((await ask(edge)).text).code).toBe('TLS_FAILED');
    const { reason } = await edge.message('unreachable');
    expect(reason).toBe('its certificate is for another name than 127.0.0.9');
  });

  test('is none where nobody listens, with a PROXY header in front of it or without', async () => {
    for (const more of [{}, { proxyProtocol: 'v1' as const }]) {
      const edge = await edgeBefore({ port: await deadPort() }, {}, more);
      expect(JSON.parse((await ask(edge)).text).code).toBe('CONNECT_REFUSED');
    }
  });

  test('with what speaks no HTTP/2 is told as well', async () => {
    const origin = await tlsOrigin();
    const edge = await edgeBefore(origin, {}, { protocol: 'http2' });
    expect((await ask(edge)).status).toBe(502);
    expect((await edge.message('unreachable')).reason).toMatch(/HTTP\/2|upstream.protocol/);
  });

  test('sends the request to another endpoint, and ejects the one that goes on failing', async () => {
    const [bad, good] = [await tlsOrigin(stranger), await tlsOrigin()];
    const outlier = { consecutive: 3, intervalMs: 10_000, ejectMs: 30_000, maxEjectMs: 300_000, maxShare: 0.5 };
    const upstream = { protocol: 'http1', proxyProtocol: false, tls: tls() } as const;
    const edge = await EdgeHarness.start(policy({ upstream, outlier, balance: 'round-robin', wakeable: false }));
    edge.state({ endpoints: [at(bad), at(good)] });
    for (let index = 0; index < 8; index++) expect((await ask(edge)).text).toBe('secret');
    expect(await edge.message('ejected')).toMatchObject({ address: `127.0.0.1:${bad.port}`, failures: 3 });
  });
});
