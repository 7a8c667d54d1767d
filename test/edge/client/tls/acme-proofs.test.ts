import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, expect, test } from 'vitest';
import { alpnProof } from '../../../../src/certificates/acme/alpn-proof.ts';
import { edgeCertificate, makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import type { ListenChange } from '../../../support/listen-settings.ts';
import { at, EdgeHarness } from '../../edge-harness.ts';
import { answering, Client, Origin } from '../../wire.ts';
import { tlsConnect } from './tls-client.ts';

const app = makeCertificate();
const proof = alpnProof('app.test', 'token.thumbprint', Date.now());

async function start(listen: ListenChange) {
  const h = await EdgeHarness.start(undefined, {}, undefined, listen);
  h.state({ endpoints: [at(await Origin.listen(answering()))] });
  return h;
}

describe('while a host is being proven by TLS-ALPN-01', () => {
  const tls = { ...tlsMaterial([app]), proofs: [proof] };

  test('who asks for the proof alone is shown it and sent away, and others see their certificate', async () => {
    const h = await start({ tls });
    const asking = await tlsConnect(h.port, { ALPNProtocols: ['acme-tls/1'] });
    expect(asking.socket.alpnProtocol).toBe('acme-tls/1');
    expect(asking.socket.getPeerX509Certificate()?.fingerprint256).toBe(proof.id);
    if (!asking.socket.destroyed) await once(asking.socket, 'close');
    const other = await tlsConnect(h.port, { ALPNProtocols: ['http/1.1', 'acme-tls/1'] });
    expect(other.socket.getPeerX509Certificate()?.fingerprint256).toBe(edgeCertificate(app).id);
    expect(await other.ask()).toContain('200 OK');
    expect((await h.report()).handshakes).toEqual({ proof: 1, full: 1 });
  });

  test('a name that is not being proven has no proof to see', async () => {
    const h = await start({ tls });
    await expect(tlsConnect(h.port, { ALPNProtocols: ['acme-tls/1'], servername: 'b.test' })).rejects.toThrow();
    expect((await h.report()).handshakes).toEqual({ 'unknown-name': 1 });
  });

  test('a ClientHello that comes in pieces is understood', async () => {
    const h = await start({ tls });
    const tcp = connectTcp(h.port, '127.0.0.1').setNoDelay(true);
    await once(tcp, 'connect');
    const write = tcp.write.bind(tcp);
    const pieces = (data: Uint8Array) => {
      for (let i = 0; i < data.length; i += 50) write(data.subarray(i, i + 50));
      return true;
    };
    tcp.write = ((data: Uint8Array, ...rest: unknown[]) => {
      const done = rest.find((each) => typeof each === 'function') as (() => void) | undefined;
      pieces(data);
      done?.();
      return true;
    }) as typeof tcp.write;
    const asking = await tlsConnect(h.port, { socket: tcp, ALPNProtocols: ['acme-tls/1'] });
    expect(asking.socket.getPeerX509Certificate()?.fingerprint256).toBe(proof.id);
  });
});

test('without any certificate yet, a handshake ends and is counted as one for an unknown name', async () => {
  const h = await start({ tls: tlsMaterial([]) });
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    await expect(tlsConnect(h.port, { minVersion: version, maxVersion: version })).rejects.toThrow();
  }
  expect((await h.report()).handshakes).toEqual({ 'unknown-name': 2 });
});

test('HTTP-01 is answered for tokens that are asked for, and all else goes its usual way', async () => {
  const h = await start({ acmeAnswers: { 'to-ken': 'to-ken.thumb' }, redirectToHttps: false });
  const ask = async (path: string): Promise<string> => {
    const client = await Client.open(h.port);
    client.get(path);
    return (await client.answer()).body.toString();
  };
  expect(await ask('/.well-known/acme-challenge/to-ken')).toBe('to-ken.thumb');
  for (const path of ['/.well-known/acme-challenge/other', '/.well-known/acme-challenge/constructor', '/to-ken']) {
    expect(await ask(path)).toBe('hello');
  }
});
