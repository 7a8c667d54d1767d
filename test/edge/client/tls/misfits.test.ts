import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import type { ListenChange } from '../../../support/listen-settings.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok, soon, until } from '../../wire.ts';
import { tlsConnect } from './tls-client.ts';

const app = makeCertificate();
const tls = tlsMaterial([app]);

const start = ({ timeouts, ...listen }: ListenChange = {}) =>
  EdgeHarness.start(policy(), { trustedProxies: ['127.0.0.1'] }, timeouts, { tls, ...listen });

/** Sends bytes in clear text; returns what came until the connection was over. */
function raw(port: number, bytes: string | Buffer): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  if (bytes.length > 0) socket.write(bytes);
  return soon(new Promise((resolve) => socket.on('close', () => resolve(text))), 'the end of the connection');
}

describe('clear text on a port of TLS', () => {
  test.each(['GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'POST /x HTTP/1.0\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'])(
    'HTTP is told so: %j',
    async (request) => {
      const h = await start();
      const answer = await raw(h.port, request);
      expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect(answer).toContain('"This port speaks TLS: the address begins with https://."');
      expect(h.accessed).toMatchObject([
        { status: 400, refusal: 'TLS_REQUIRED', reason: 'HTTP without TLS on a port with it' },
      ]);
      expect((await h.report()).handshakes).toEqual({ http: 1 });
      await h.connections(0);
    },
  );

  test.each([
    ['bytes of something else', Buffer.from([0, 1, 2, 3]), 'not-tls'],
    ['SSH', 'SSH-2.0-OpenSSH\r\n', 'not-tls'],
    ['a broken record', Buffer.from([0x16, 3, 1, 0, 5, 1, 2, 3, 4, 5]), 'broken'],
  ])('%s: the connection ends', async (_name, bytes, outcome) => {
    const h = await start();
    expect(await raw(h.port, bytes)).not.toContain('HTTP');
    expect((await h.report()).handshakes).toEqual({ [outcome]: 1 });
    await h.connections(0);
  });
});

describe('TLS on a port in clear text', () => {
  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'is told so by an alert of %s, and the log says what it was',
    async (version) => {
      const h = await EdgeHarness.start();
      const options = { minVersion: version, maxVersion: version, rejectUnauthorized: false };
      const client = connectTls({ port: h.port, host: '127.0.0.1', ...options });
      onTestFinished(() => void client.destroy());
      const error = await soon(
        new Promise<Error>((resolve) => client.once('error', resolve)),
        'an error of the client',
      );
      expect(error).toMatchObject({ code: 'ERR_SSL_SSL/TLS_ALERT_UNEXPECTED_MESSAGE' });
      await until(() => h.accessed.length > 0, 'a line in the access log');
      expect(h.accessed).toMatchObject([{ status: 400, bytesOut: 7, reason: 'TLS on a port without it' }]);
      await h.connections(0);
    },
  );

  test('behind a request is bytes that make no request, as any others', async () => {
    const origin = await Origin.listen(answering(() => ok('served')));
    const h = await EdgeHarness.ready(origin);
    const answer = await raw(h.port, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01', 'latin1'));
    expect(answer).toContain('served');
    expect(answer).toContain('HTTP/1.1 400 ');
  });
});

describe('a handshake takes its time', () => {
  const HELLO = Buffer.from([0x16, 3, 1, 0, 200, 1]);

  test.each([
    ['nothing is sent', ''],
    ['a part of it is sent', HELLO],
  ])('where %s, it ends at timeouts.handshake', async (_name, bytes) => {
    const h = await start({ timeouts: { handshakeMs: 3000 } });
    const over = raw(h.port, bytes);
    await h.connections(1);
    await h.pass(2800, 100);
    await h.connections(1);
    await h.pass(400, 100);
    await over;
    await h.connections(0);
    expect(h.all('report').find(({ handshakes }) => handshakes !== undefined)?.handshakes).toEqual({ timeout: 1 });
  });

  test('the oldest makes room where there are too many', async () => {
    const h = await start({ limits: { handshakes: 2 } });
    const oldest = raw(h.port, HELLO);
    await h.connections(1);
    void raw(h.port, HELLO);
    await h.connections(2);
    const origin = await Origin.listen(answering(() => ok('served')));
    h.state({ endpoints: [at(origin)] });
    expect(await (await tlsConnect(h.port)).ask()).toContain('served');
    await oldest;
    await h.connections(2);
  });

  test('a drain does not wait for it', async () => {
    const h = await start();
    const over = raw(h.port, HELLO);
    await h.connections(1);
    const drained = h.edge.drain(60_000);
    await over;
    await h.pass(100, 20);
    await drained;
  });

  test('one client cannot have more handshakes than connections', async () => {
    const h = await EdgeHarness.start(policy(), {}, {}, { tls, limits: { connectionsPerClient: 1 } });
    void raw(h.port, HELLO);
    await h.connections(1);
    expect(await raw(h.port, HELLO)).toBe('');
    await h.connections(1);
  });

  test('where all places are taken, a new connection is closed without a word', async () => {
    const h = await EdgeHarness.start(policy(), {}, {}, { tls, limits: { connections: 1 } });
    void raw(h.port, HELLO);
    await h.connections(1);
    expect(await raw(h.port, HELLO)).toBe('');
  });
});

describe('a PROXY header comes before the handshake', () => {
  const echo = answering(({ fields }) => ok(JSON.stringify(fields)));

  test.each([
    ['version 1', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 4711 443\r\n')],
    [
      'version 2',
      Buffer.concat([
        Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c', 'latin1'),
        Buffer.from([192, 0, 2, 7, 192, 0, 2, 1, 0x12, 0x67, 1, 0xbb]),
      ]),
    ],
  ])('%s, in one piece with it or apart', async (_name, header) => {
    const origin = await Origin.listen(echo);
    for (const isApart of [true, false]) {
      const h = await start({ proxyProtocol: true });
      h.state({ endpoints: [at(origin)] });
      const socket = connect(h.port, '127.0.0.1');
      onTestFinished(() => void socket.destroy());
      if (isApart) socket.write(header);
      else {
        socket.cork();
        socket.write(header);
        process.nextTick(() => socket.uncork());
      }
      const client = await tlsConnect(h.port, { socket });
      const answer = await client.ask();
      expect(answer).toContain('"x-real-ip":["192.0.2.7"]');
      expect(answer).toContain('"x-forwarded-proto":["https"]');
      expect(answer).toContain('"x-forwarded-port":["443"]');
    }
  });

  test('without one the connection ends', async () => {
    const h = await start({ proxyProtocol: true });
    await expect(tlsConnect(h.port)).rejects.toThrow();
    await h.connections(0);
  });
});
