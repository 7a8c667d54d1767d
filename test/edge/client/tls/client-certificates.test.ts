import { describe, expect, test } from 'vitest';
import { type Made, makeCertificate, tlsMaterial } from '../../../support/certificates.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok } from '../../wire.ts';
import { sessionOf, tlsConnect } from './tls-client.ts';

const app = makeCertificate();
const authority = makeCertificate({ names: [], subject: '/CN=Clients', isAuthority: true });
const alice = makeCertificate({ names: [], subject: '/C=DE/O=Shop, Inc/CN=alice', by: authority });
const bob = makeCertificate({ names: [], subject: '/O=Other/CN=bob', by: authority });
const stranger = makeCertificate({ names: [], subject: '/O=Shop/CN=mallory' });

const echo = answering(({ fields }) => ok(JSON.stringify(fields)));

async function start(
  mode: 'required' | 'optional',
  table: { trustedProxies?: string[]; allowSubjects?: string[] } = {},
) {
  const { allowSubjects, ...rest } = table;
  const origin = await Origin.listen(echo);
  const tls = tlsMaterial([app], { clientAuth: { ca: authority.cert, crl: undefined, mode } });
  const headers = { request: { set: [], remove: [] }, response: { set: [], remove: [] } };
  const rules = { strip: false, redirect: undefined, allow: [], basicAuth: undefined, rate: undefined, headers };
  const routes = allowSubjects && [{ host: undefined, path: '/', service: 'app', rules: { ...rules, allowSubjects } }];
  const h = await EdgeHarness.start(policy(), { ...rest, ...(routes ? { routes } : {}) }, {}, { tls });
  h.state({ endpoints: [at(origin)] });
  return h;
}

const SUBJECT = '"x-forwarded-client-subject"';
const as = ({ cert, key }: Made) => ({ cert, key });

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
  const options = { minVersion: version, maxVersion: version };

  /** What a client is answered; undefined: nothing, as its connection ended. */
  async function answerTo(port: number, more: object): Promise<string | undefined> {
    try {
      const text = await (await tlsConnect(port, { ...options, ...more })).ask();
      return text === '' ? undefined : text;
    } catch {
      return undefined;
    }
  }

  test('the service is told the subject of a verified certificate', async () => {
    const { port } = await start('required');
    expect(await answerTo(port, as(alice))).toContain(String.raw`${SUBJECT}:["CN=alice,O=Shop\\, Inc,C=DE"]`);
  });

  test('without one, or with that of somebody else, the connection ends where one is required', async () => {
    const h = await start('required');
    expect(await answerTo(h.port, {})).toBeUndefined();
    expect(await answerTo(h.port, as(stranger))).toBeUndefined();
    await h.connections(0);
    expect(h.accessed).toEqual([]);
  });

  test('where it is optional, none is no matter, and a false one is', async () => {
    const { port } = await start('optional');
    expect(await answerTo(port, {})).not.toContain(SUBJECT);
    expect(await answerTo(port, as(bob))).toContain('CN=bob,O=Other');
    expect(await answerTo(port, as(stranger))).toBeUndefined();
  });

  test('a session that is resumed is still of the same client', async () => {
    const h = await start('required');
    const first = await tlsConnect(h.port, { ...options, ...as(alice) });
    const [session] = await Promise.all([sessionOf(first), first.ask()]);
    const second = await tlsConnect(h.port, { ...options, session });
    expect(second.socket.isSessionReused()).toBe(true);
    expect(await second.ask()).toContain('CN=alice');
  });
});

describe('what a client says of itself is not believed', () => {
  const claim = 'X-Forwarded-Client-Subject: CN=admin\r\nX_Forwarded_Client_Subject: CN=admin\r\n';

  test.each([
    ['an untrusted one', {}],
    ['a trusted one, where certificates are asked for', { trustedProxies: ['127.0.0.1'] }],
  ])('%s', async (_name, table) => {
    const { port } = await start('optional', table);
    expect(await (await tlsConnect(port)).ask('/', claim)).not.toContain('admin');
    const answer = await (await tlsConnect(port, as(bob))).ask('/', claim);
    expect(answer).toContain(`${SUBJECT}:["CN=bob,O=Other"]`);
    expect(answer).not.toContain('admin');
  });

  test('but a proxy that ends TLS in front is', async () => {
    const origin = await Origin.listen(echo);
    const h = await EdgeHarness.start(policy(), { trustedProxies: ['127.0.0.1'] });
    h.state({ endpoints: [at(origin)] });
    const client = await h.connect();
    client.write('GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Client-Subject: CN=alice,O=Shop\r\n\r\n');
    expect((await client.answer()).text).toContain(`${SUBJECT}:["CN=alice,O=Shop"]`);
  });
});

test.each([
  [['CN=alice,*'], 200, 403],
  [['cn=BOB,o=other'], 403, 200],
  [['*,O=Other', 'CN=nobody'], 403, 200],
  [['*'], 200, 200],
  [['CN=alice'], 403, 403],
])('a route lets in %j alone', async (allowSubjects, forAlice, forBob) => {
  const { port } = await start('optional', { allowSubjects });
  const statusFor = async (options: object) => Number((await (await tlsConnect(port, options)).ask()).split(' ')[1]);
  expect(await statusFor(as(alice))).toBe(forAlice);
  expect(await statusFor(as(bob))).toBe(forBob);
  expect(await statusFor({})).toBe(403);
});
