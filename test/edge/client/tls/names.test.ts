import { describe, expect, test } from 'vitest';
import { makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import { EdgeHarness } from '../../edge-harness.ts';
import { shown, tlsConnect } from './tls-client.ts';

const first = makeCertificate({ names: ['first.test'] });
const exact = makeCertificate({ names: ['a.wild.test'] });
const wild = makeCertificate({ names: ['*.wild.test'] });
const rsa = makeCertificate({ names: ['first.test'], key: 'rsa' });

const start = (change: Parameters<typeof tlsMaterial>[1] = {}) =>
  EdgeHarness.start(undefined, {}, {}, { tls: tlsMaterial([first, wild, exact, rsa], change) });

test.each([
  ['first.test', 'DNS:first.test'],
  ['a.wild.test', 'DNS:a.wild.test'],
  ['A.WILD.test', 'DNS:a.wild.test'],
  ['b.wild.test', 'DNS:*.wild.test'],
  ['b.c.wild.test', 'DNS:first.test'],
  ['wild.test', 'DNS:first.test'],
  ['unknown.test', 'DNS:first.test'],
  ['', 'DNS:first.test'],
])('a client that asks for "%s" is shown %s', async (servername, names) => {
  const { port } = await start();
  expect(shown(await tlsConnect(port, { servername }))).toBe(names);
});

test("of the first name's certificates the client gets the one that it can use", async () => {
  const { port } = await start();
  const keyOf = async (ciphers: string) => {
    const client = await tlsConnect(port, { servername: 'first.test', ciphers, maxVersion: 'TLSv1.2' });
    return client.socket.getPeerX509Certificate()?.publicKey.asymmetricKeyType;
  };
  expect(await keyOf('ECDHE-RSA-AES128-GCM-SHA256')).toBe('rsa');
  expect(await keyOf('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('ec');
});

describe('strict names', () => {
  test.each(['unknown.test', 'wild.test', ''])('a handshake for "%s" ends', async (servername) => {
    const h = await start({ strictSni: true });
    await expect(tlsConnect(h.port, { servername })).rejects.toThrow();
    expect((await h.report()).handshakes).toEqual({ 'unknown-name': 1 });
  });

  test('a handshake for a known name does not', async () => {
    const { port } = await start({ strictSni: true });
    expect(shown(await tlsConnect(port, { servername: 'b.wild.test' }))).toBe('DNS:*.wild.test');
  });
});

describe('what is too old or weak ends with an alert', () => {
  test('TLS 1.2 where 1.3 is asked for', async () => {
    const h = await start({ minVersion: '1.3' });
    await expect(tlsConnect(h.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/);
    expect((await h.report()).handshakes).toEqual({ version: 1 });
  });

  test.each(['AES128-SHA', 'ECDHE-RSA-AES128-SHA', 'AES128-GCM-SHA256'])('%s', async (ciphers) => {
    const h = await start();
    await expect(tlsConnect(h.port, { maxVersion: 'TLSv1.2', ciphers })).rejects.toThrow(/handshake failure/);
    expect((await h.report()).handshakes).toEqual({ cipher: 1 });
  });

  test('ciphers can be chosen, and TLS 1.3 stays', async () => {
    const { port } = await start({ ciphers: ['ECDHE-ECDSA-AES256-GCM-SHA384'] });
    const old = await tlsConnect(port, { maxVersion: 'TLSv1.2' });
    expect(old.socket.getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
    expect((await tlsConnect(port)).socket.getProtocol()).toBe('TLSv1.3');
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('groups that keys are exchanged by, %s', (maxVersion) => {
  test('can be chosen, and no other is taken', async () => {
    const h = await start({ curves: ['P-521', 'P-384'] });
    const { socket } = await tlsConnect(h.port, { maxVersion, ecdhCurve: 'X25519:P-384:P-521' });
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ type: 'ECDH', name: 'secp384r1' });
    await expect(tlsConnect(h.port, { maxVersion, ecdhCurve: 'P-256' })).rejects.toThrow(/handshake failure/);
    expect((await h.report()).handshakes).toEqual({ full: 1, cipher: 1 });
  });
});

test('no protocol in common ends with an alert', async () => {
  const h = await start();
  await expect(tlsConnect(h.port, { ALPNProtocols: ['ftp'] })).rejects.toThrow(/no application protocol/);
  expect((await h.report()).handshakes).toEqual({ protocol: 1 });
});
