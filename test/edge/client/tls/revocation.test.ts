import { describe, expect, test } from 'vitest';
import type { ClientAuthMaterial } from '../../../../src/model/certificates.ts';
import { type Made, makeCertificate, makeCrl, tlsMaterial } from '../../../support/certificates.ts';
import { listenSettings } from '../../../support/listen-settings.ts';
import { at, EdgeHarness } from '../../edge-harness.ts';
import { answering, Origin, ok } from '../../wire.ts';
import { sessionOf, tlsConnect } from './tls-client.ts';

const app = makeCertificate();
const authority = makeCertificate({ names: [], subject: '/CN=Clients', isAuthority: true });
const other = makeCertificate({ names: [], subject: '/CN=Others', isAuthority: true });
const alice = makeCertificate({ names: [], subject: '/CN=alice', by: authority });
const bob = makeCertificate({ names: [], subject: '/CN=bob', by: authority });

const material = (crl: string[], mode: ClientAuthMaterial['mode'] = 'required') =>
  tlsMaterial([app], { clientAuth: { ca: authority.cert, crl, mode } });

async function start(crl: string[], mode?: ClientAuthMaterial['mode']): Promise<EdgeHarness> {
  const origin = await Origin.listen(answering(() => ok('served')));
  const h = await EdgeHarness.start(undefined, {}, {}, { tls: material(crl, mode) });
  h.state({ endpoints: [at(origin)] });
  return h;
}

async function isServed(h: EdgeHarness, { cert, key }: Partial<Made>, more = {}): Promise<boolean> {
  try {
    return (await (await tlsConnect(h.port, { cert, key, ...more })).ask()).includes('served');
  } catch {
    return false;
  }
}

/** Handshakes by how they ended. */
async function outcomes(h: EdgeHarness): Promise<string[]> {
  await h.connections(0).catch(() => undefined);
  await h.report();
  return h.all('report').flatMap(({ handshakes }) => Object.keys(handshakes ?? {}));
}

describe.each(['required', 'optional'] as const)('where a certificate is %s', (mode) => {
  test('a revoked one is not let in, and others are', async () => {
    const h = await start([makeCrl(authority, [bob])], mode);
    expect(await isServed(h, bob)).toBe(false);
    expect(await outcomes(h)).toEqual(['revoked']);
    expect(await isServed(h, alice)).toBe(true);
  });

  test.each([
    ['expired', makeCrl(authority, [], '20210101000000Z')],
    ['that of another authority', makeCrl(other)],
  ])('nobody with one is let in where the list is %s', async (_name, crl) => {
    const h = await start([crl], mode);
    expect(await isServed(h, alice)).toBe(false);
    expect(await outcomes(h)).toEqual(['revocation-unknown']);
  });
});

test('a list that changed holds for the next handshake, and no session leads past it', async () => {
  const h = await start([makeCrl(authority)]);
  const { cert, key } = bob;
  const client = await tlsConnect(h.port, { cert, key });
  const [session] = await Promise.all([sessionOf(client), client.ask()]);
  expect(await isServed(h, bob, { session })).toBe(true);
  await h.edge.listen([listenSettings({ tls: material([makeCrl(authority, [bob])]) })]);
  expect(await isServed(h, bob, { session })).toBe(false);
  expect(await isServed(h, alice)).toBe(true);
});
