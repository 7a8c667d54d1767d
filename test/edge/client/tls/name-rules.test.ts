import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClientAuthMaterial, TlsMaterial } from '../../../../src/model/certificates.ts';
import { makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import { listenSettings } from '../../../support/listen-settings.ts';
import { at, EdgeHarness } from '../../edge-harness.ts';
import { answering, Origin, ok, until } from '../../wire.ts';
import { Http2Client } from '../http2/http2-client.ts';
import { sessionOf, tlsConnect } from './tls-client.ts';

const site = makeCertificate({
  names: ['open.test', 'guarded.test', 'new.test', 'curve.test', '*.below.test', '*.deep.below.test'],
});
const authority = makeCertificate({ names: [], subject: '/CN=Clients', isAuthority: true });
const alice = makeCertificate({ names: [], subject: '/CN=alice', by: authority });
const clientAuth: ClientAuthMaterial = { ca: authority.cert, crl: undefined, mode: 'required' };

const rules = { minVersion: '1.2' as const, ciphers: [], curves: [], clientAuth: undefined };
const names: TlsMaterial['names'] = [
  { ...rules, hosts: ['guarded.test', '*.below.test'], clientAuth },
  { ...rules, hosts: ['new.test'], minVersion: '1.3' },
  { ...rules, hosts: ['curve.test'], curves: ['P-384'] },
  { ...rules, hosts: ['open.below.test'], ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] },
];
const tls = tlsMaterial([site], { names });

async function start(): Promise<EdgeHarness> {
  const origin = await Origin.listen(answering(({ fields }) => ok(JSON.stringify(fields))));
  const h = await EdgeHarness.start(undefined, {}, {}, { tls });
  h.state({ endpoints: [at(origin)] });
  return h;
}

/** The status of an answer over a connection of its own; undefined: there is none. */
async function statusOf(port: number, servername: string, options = {}, host = servername) {
  try {
    return Number((await (await tlsConnect(port, { servername, ...options })).ask('/', '', host)).split(' ')[1]);
  } catch {
    return undefined;
  }
}

describe('the name that a client asks for decides', () => {
  test('whether it needs a certificate, and nothing does for other names', async () => {
    const { port } = await start();
    const { cert, key } = alice;
    expect(await statusOf(port, 'open.test')).toBe(200);
    for (const name of ['guarded.test', 'a.below.test', 'a.deep.below.test', 'GUARDED.test']) {
      expect([name, await statusOf(port, name)]).not.toEqual([name, 200]);
      expect([name, await statusOf(port, name, { cert, key })]).toEqual([name, 200]);
    }
  });

  test('which versions and ciphers are spoken', async () => {
    const { port } = await start();
    const old = { maxVersion: 'TLSv1.2' };
    expect(await statusOf(port, 'new.test', old)).toBeUndefined();
    expect(await statusOf(port, 'new.test')).toBe(200);
    expect(await statusOf(port, 'open.test', old)).toBe(200);
    const weaker = { ...old, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' };
    expect(await statusOf(port, 'open.below.test', weaker)).toBeUndefined();
    expect(await statusOf(port, 'open.below.test', old)).toBe(200);
  });

  test('and which groups keys are exchanged by', async () => {
    const { port } = await start();
    expect(await statusOf(port, 'curve.test', { ecdhCurve: 'X25519' })).toBeUndefined();
    expect(await statusOf(port, 'curve.test', { ecdhCurve: 'P-384' })).toBe(200);
    expect(await statusOf(port, 'open.test', { ecdhCurve: 'X25519' })).toBe(200);
  });

  test('when it comes in pieces, too', async () => {
    const { port } = await start();
    const socket = connect(port, '127.0.0.1').setNoDelay(true);
    onTestFinished(() => void socket.destroy());
    const whole = socket.write.bind(socket);
    socket.write = ((bytes: Buffer, ...rest: []) => {
      for (const byte of bytes.subarray(0, 300)) whole(Buffer.from([byte]));
      return whole(bytes.subarray(300), ...rest);
    }) as typeof socket.write;
    const { cert, key } = alice;
    const client = await tlsConnect(port, { socket, servername: 'guarded.test', cert, key });
    expect(await client.ask('/', '', 'guarded.test')).toContain('CN=alice');
  });
});

describe('nobody gets past the rules of a name', () => {
  test.each([
    ['open.test', 'guarded.test'],
    ['open.test', 'b.below.test'],
    ['new.test', 'guarded.test'],
    ['', 'guarded.test'],
  ])('by a connection for "%s" and a request for %s: 421', async (servername, host) => {
    const h = await start();
    expect(await statusOf(h.port, servername, {}, host)).toBe(421);
    expect(h.accessed).toMatchObject([{ status: 421, refusal: 'MISDIRECTED' }]);
  });

  test('by another spelling of its name', async () => {
    const { port } = await start();
    for (const host of ['GUARDED.test', 'guarded.test.', 'guarded.test:443', 'guarded.test.:443']) {
      expect([host, await statusOf(port, 'open.test', {}, host)]).toEqual([host, 421]);
    }
  });

  test('by a connection of HTTP/2 that it is served on for another name', async () => {
    const { port } = await start();
    const client = await Http2Client.of(
      connectHttp2(`https://127.0.0.1:${port}`, { servername: 'open.test', rejectUnauthorized: false }),
    );
    expect(await client.get('/', { ':authority': 'open.test' })).toMatchObject({ status: 200 });
    expect(await client.get('/', { ':authority': 'guarded.test' })).toMatchObject({ status: 421 });
    expect(await client.get('/', { ':authority': 'open.test' })).toMatchObject({ status: 200 });
  });

  test.each(['TLSv1.2', 'TLSv1.3'] as const)('by a session of another name (%s)', async (maxVersion) => {
    const h = await start();
    const first = await tlsConnect(h.port, { servername: 'open.test', maxVersion });
    const [session] = await Promise.all([sessionOf(first), first.ask('/', '', 'open.test')]);
    expect(await statusOf(h.port, 'open.test', { session, maxVersion })).toBe(200);
    expect(await statusOf(h.port, 'guarded.test', { session, maxVersion })).not.toBe(200);
    await until(() => h.accessed.length === 2, 'both answers');
  });

  test('on a connection from before a reload that gave them to it', async () => {
    const origin = await Origin.listen(answering(() => ok('served')));
    const h = await EdgeHarness.start(undefined, {}, {}, { tls: tlsMaterial([site]) });
    h.state({ endpoints: [at(origin)] });
    const client = await tlsConnect(h.port, { servername: 'guarded.test' });
    expect(await client.ask('/', '', 'guarded.test')).toContain('served');
    await h.edge.listen([listenSettings({ tls })]);
    expect(await client.ask('/', '', 'guarded.test')).toContain(' 421 ');
    expect(await client.ask('/', '', 'open.test')).toContain('served');
  });
});

test('what is no ClientHello ends the connection', async () => {
  const h = await start();
  const socket = connect(h.port, '127.0.0.1');
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(Buffer.from([22, 3, 1, 0, 4, 2, 0, 0, 0]));
  await until(() => socket.destroyed, 'the end of the connection');
  expect((await h.report()).handshakes).toEqual({ broken: 1 });
  await h.connections(0);
});
