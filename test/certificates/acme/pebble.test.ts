import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  demoService,
  logOf,
  type Place,
  type Program,
  type ProgramOptions,
  pilotlight,
  place,
} from '../../main/program.ts';
import { freePort } from '../../support/free-port.ts';
import { EXTERNAL_KEY, Pebble, type PebbleOptions } from '../../support/pebble.ts';
import { request } from '../../support/raw-client.ts';
import { until } from '../../support/until.ts';

vi.setConfig({ testTimeout: 300_000 });

const HOST = 'shop.test';
/** A program starts, and a certificate is issued, ms. */
const LONG_MS = 120_000;

interface Setup extends Place {
  pebble: Pebble;
  secure: number;
  plain: number;
  /** The configuration; `acme` is added to that of the listener. */
  config(acme?: object, hosts?: string[], more?: object): Record<string, unknown>;
}

/** An authority, and a configuration that orders from it. */
async function setUp(options: Partial<PebbleOptions> = {}): Promise<Setup> {
  const [secure, plain] = [await freePort(), await freePort()];
  const pebble = await Pebble.start({ httpPort: plain, tlsPort: secure, ...options });
  onTestFinished(() => pebble.stop());
  const at = await place();
  const config: Setup['config'] = (acme = {}, hosts = [HOST], more = {}) => ({
    listen: [
      { address: `127.0.0.1:${secure}`, tls: { acme: { directory: pebble.directory, ca: pebble.ca, ...acme } } },
      { address: `127.0.0.1:${plain}`, redirectToHttps: true },
    ],
    services: { hello: demoService('hello', { routes: hosts.map((host) => ({ host })) }) },
    ...more,
  });
  return { ...at, pebble, secure, plain, config };
}

/** Runs the configuration and waits until it is ready, beside all that such a test starts. */
async function serve({ file, admin }: Pick<Place, 'file' | 'admin'>, options?: ProgramOptions): Promise<Program> {
  const program = pilotlight(['run', '-c', file], options);
  const isReady = async () => {
    if (program.child.exitCode !== null) throw new Error(`it ended: ${program.stderr}`);
    return (await fetch(`${admin}/readyz`).catch(() => undefined))?.status === 200;
  };
  await until('ready', isReady, LONG_MS);
  return program;
}

/** A connection whose handshake is over. */
function handshake(port: number, servername: string, more: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', servername, rejectUnauthorized: false, ...more };
    const socket = connect(options, () => resolve(socket));
    socket.on('error', reject);
  });
}

/** Serial number of the certificate that clients of a host are shown; undefined: they are shown none for it. */
async function shown(port: number, host = HOST): Promise<string | undefined> {
  const socket = await handshake(port, host).catch(() => undefined);
  const certificate = socket?.getPeerX509Certificate();
  socket?.destroy();
  return certificate?.subjectAltName === `DNS:${host}` ? certificate.serialNumber : undefined;
}

const untilShown = async (port: number, host = HOST): Promise<string> => {
  const serials: string[] = [];
  const isShown = async () => {
    serials.push(...[(await shown(port, host)) ?? []].flat());
    return serials.length > 0;
  };
  await until(`a certificate for ${host}`, isShown, LONG_MS, 200);
  return serials[0] as string;
};

const told = (program: Program, event: string) => logOf(program).filter((line) => line['event'] === event);

describe.each(['http-01', 'tls-alpn-01'])('by %s', (challenge) => {
  test.each([1, 2])('a certificate is issued and served by %i process(es)', async (workers) => {
    const { config, pebble, secure, plain, ...at } = await setUp();
    await at.write(config({ challenge, email: 'ops@shop.test' }, [HOST, 'api.shop.test'], { workers }));
    const program = await serve(at);
    await untilShown(secure);
    await untilShown(secure, 'api.shop.test');
    // By an authority that is trusted, a client is let in.
    (await handshake(secure, HOST, { ca: await pebble.root(), rejectUnauthorized: true })).destroy();
    expect(told(program, 'certificate-issued')).toHaveLength(2);
    // What proved it is gone, and all else is as without.
    const answer = await request(plain, { path: '/.well-known/acme-challenge/unknown', host: HOST });
    expect(answer.status).toBe(200);
    expect(program.stderr).not.toContain('PRIVATE KEY');
  });
});

test('nonces that are not taken are replaced', async () => {
  const { config, secure, ...at } = await setUp({ nonceReject: 40 });
  await at.write(config());
  const program = await serve(at);
  await untilShown(secure);
  expect(told(program, 'certificate-failed')).toEqual([]);
});

test('an account is bound to one that the authority knows, by a key from a file or from the environment', async () => {
  const { config, secure, ...at } = await setUp({ externalAccounts: { one: EXTERNAL_KEY } });
  const file = join(at.folder, 'hmac');
  writeFileSync(file, `${EXTERNAL_KEY}\n`, { mode: 0o600 });
  await at.write(config());
  const program = await serve(at, { env: { EAB_HMAC: EXTERNAL_KEY } });
  const failures = () => told(program, 'certificate-failed').map((line) => String(line['msg']));
  await until('it is refused', () => failures().length === 1, LONG_MS);
  expect(failures()[0]).toContain('the authority wants an account that it knows: name it as eab');
  expect(await shown(secure)).toBeUndefined();
  // Who reloads with something else does not wait for the next try.
  await at.write(config({ eab: { kid: 'one', hmacFile: file } }));
  program.child.kill('SIGHUP');
  await untilShown(secure);
  // Another host gets its certificate by the same account.
  await at.write(config({ eab: { kid: 'one', hmac: `\${EAB_HMAC}` } }, [HOST, 'api.shop.test']));
  program.child.kill('SIGHUP');
  await untilShown(secure, 'api.shop.test');
  expect(program.stderr).not.toContain(EXTERNAL_KEY);
});

test('a host that is refused keeps no other from its certificate', async () => {
  const { config, secure, ...at } = await setUp({ refused: ['bad.test'] });
  await at.write(config({}, ['bad.test', HOST]));
  const program = await serve(at);
  await untilShown(secure);
  await until('it is told', () => told(program, 'certificate-failed').length === 1, LONG_MS);
  expect(String(told(program, 'certificate-failed')[0]?.['msg'])).toContain('rejectedIdentifier');
  expect(await shown(secure, 'bad.test')).toBeUndefined();
  // It is not asked for again before its time, not even after a restart.
  program.child.kill('SIGTERM');
  await program.exit;
  const next = await serve(at);
  await untilShown(secure);
  expect(told(next, 'certificate-failed')).toEqual([]);
  expect(told(next, 'certificate-issued')).toEqual([]);
});

test('a host whose proof the authority does not see is told by what the authority says', async () => {
  // It asks at a port where nobody is.
  const { config, ...at } = await setUp({ httpPort: await freePort() });
  await at.write(config());
  const program = await serve(at);
  await until('it is told', () => told(program, 'certificate-failed').length === 1, LONG_MS);
  expect(String(told(program, 'certificate-failed')[0]?.['msg'])).toMatch(/connection: .*refused.*tried again at/);
});

describe('a certificate that lasts a minute', () => {
  test('outlives a restart without an order, is kept for this user alone, and is renewed with another account if need be', async () => {
    const { config, pebble, secure, ...at } = await setUp({ validityS: 60 });
    await at.write(config());
    const first = await serve(at);
    const serial = await untilShown(secure);
    first.child.kill('SIGTERM');
    expect(await first.exit).toBe(0);
    const acme = join(at.folder, 'state/acme');
    const [authority = ''] = readdirSync(acme);
    for (const name of ['account.json', `certificates/${HOST}.pem`]) {
      expect(statSync(join(acme, authority, name)).mode & 0o777).toBe(0o600);
    }
    expect(statSync(acme).mode & 0o777).toBe(0o700);
    // The authority forgets everything, accounts too.
    await pebble.stop();
    await pebble.begin();
    const second = await serve(at);
    await until('it is renewed', async () => (await untilShown(secure)) !== serial, LONG_MS);
    expect(told(second, 'certificate-issued')).toEqual([]);
    expect(told(second, 'certificate-ordered')).toEqual([]);
    expect(told(second, 'certificate-renewed').length).toBeGreaterThan(0);
  });

  test('is served to its end and beyond while the authority is gone', async () => {
    const { config, pebble, secure, plain, ...at } = await setUp({ validityS: 20 });
    await at.write(config());
    const program = await serve(at);
    await untilShown(secure);
    await pebble.stop();
    await until('it is told', () => told(program, 'certificate-failed').length > 0, LONG_MS);
    const why = /connection refused; the one until (\S+) is served on/;
    const [, end = ''] = why.exec(String(told(program, 'certificate-failed')[0]?.['msg'])) ?? [];
    const serial = await untilShown(secure);
    await until('it has expired', () => Date.now() > Date.parse(end), LONG_MS);
    expect(await shown(secure)).toBe(serial);
    // Nothing else stops.
    expect((await request(plain, { host: HOST })).status).toBe(308);
  });
});
