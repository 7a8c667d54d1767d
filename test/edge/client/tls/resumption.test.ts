import { describe, expect, test } from 'vitest';
import type { TlsMaterial } from '../../../../src/model/certificates.ts';
import { makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import { listenSettings } from '../../../support/listen-settings.ts';
import { at, EdgeHarness } from '../../edge-harness.ts';
import { answering, Origin, ok } from '../../wire.ts';
import { sessionOf, shown, tlsConnect } from './tls-client.ts';

const app = makeCertificate();
const renewed = makeCertificate();
const authority = makeCertificate({ names: [], subject: '/CN=Clients', isAuthority: true });
const material = tlsMaterial([app]);

async function start(tls: TlsMaterial = material) {
  const origin = await Origin.listen(answering(() => ok('served')));
  const h = await EdgeHarness.start(undefined, {}, {}, { tls });
  h.state({ endpoints: [at(origin)] });
  return h;
}

/** The listener of an edge with other TLS. */
const change = (h: EdgeHarness, tls: TlsMaterial) => h.edge.listen([listenSettings({ tls })]);

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  const options = { minVersion: version, maxVersion: version };

  async function session(h: EdgeHarness): Promise<Buffer> {
    const client = await tlsConnect(h.port, options);
    const [ticket] = await Promise.all([sessionOf(client), client.ask()]);
    client.socket.destroy();
    return ticket;
  }

  const isResumed = async (h: EdgeHarness, ticket: Buffer) => {
    const client = await tlsConnect(h.port, { ...options, session: ticket });
    expect(await client.ask()).toContain('served');
    return client.socket.isSessionReused();
  };

  test('a session is resumed', async () => {
    const h = await start();
    expect(await isResumed(h, await session(h))).toBe(true);
    expect((await h.report()).handshakes).toEqual({ full: 1, resumed: 1 });
  });

  test('by another edge with the same keys and listener, too', async () => {
    const [one, other] = [await start(), await start()];
    expect(await isResumed(other, await session(one))).toBe(true);
  });

  test.each<[string, Partial<TlsMaterial>]>([
    ['other keys', { ticketKeys: Buffer.alloc(48, 8).toString('base64') }],
    ['clients asked for a certificate', { clientAuth: { ca: authority.cert, crl: undefined, mode: 'optional' } }],
    ['names strict', { strictSni: true }],
    ['other groups', { curves: ['X25519'] }],
    ['tickets off', { tickets: false }],
  ])('not with %s', async (_name, other) => {
    const h = await start();
    const ticket = await session(h);
    await change(h, { ...material, ...other });
    expect(await isResumed(h, ticket)).toBe(false);
  });
});

describe('a change of certificates', () => {
  test('holds for new connections, and those that are open go on', async () => {
    const h = await start();
    const old = await tlsConnect(h.port);
    await change(h, tlsMaterial([renewed]));
    const fresh = await tlsConnect(h.port);
    const fingerprint = ({ socket }: typeof old) => socket.getPeerX509Certificate()?.fingerprint256;
    expect(fingerprint(fresh)).not.toBe(fingerprint(old));
    expect(await old.ask()).toContain('served');
    expect(await fresh.ask()).toContain('served');
  });

  test('does not disturb a handshake that is under way', async () => {
    const h = await start();
    const client = tlsConnect(h.port);
    await change(h, tlsMaterial([renewed]));
    expect(shown(await client)).toBe('DNS:app.test');
  });

  test('that OpenSSL refuses changes nothing', async () => {
    const h = await start();
    const broken = { ...material, certificates: [{ ...renewed, chain: 'nonsense', id: '', keyType: 'ec', names: [] }] };
    await expect(change(h, broken)).rejects.toMatchObject({ code: 'CERTIFICATE_UNUSABLE' });
    expect(await (await tlsConnect(h.port)).ask()).toContain('served');
  });

  test('to clear text and back is one of new connections alone', async () => {
    const h = await start();
    const secure = await tlsConnect(h.port);
    await h.edge.listen([listenSettings()]);
    const plain = await h.connect();
    plain.get('/');
    expect((await plain.answer()).status).toBe(200);
    expect(await secure.ask()).toContain('served');
    await change(h, material);
    expect(await (await tlsConnect(h.port)).ask()).toContain('served');
  });
});
