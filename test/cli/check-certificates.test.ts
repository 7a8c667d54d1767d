import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inspectCertificates } from '../../src/certificates/inspect.ts';
import { runCheck } from '../../src/cli/check.ts';
import { encryptKey, type Made, makeCertificate } from '../support/certificates.ts';

const site = makeCertificate({ names: ['site.test', '*.site.test'] });
const other = makeCertificate({ names: ['other.test'] });

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'pilotlight-check-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const at = (name: string) => join(cwd, name);

async function put({ cert, key }: Made, name = 'site'): Promise<void> {
  await writeFile(at(`${name}.pem`), cert);
  await writeFile(at(`${name}.key`), key, { mode: 0o600 });
}

/** Checks a listener with these certificates. */
async function check(tls: string, services = '{ app: { routes: [{ path: / }], endpoints: { static: ["x:1"] } } }') {
  const lines = ['listen:', '  - address: "127.0.0.1:8443"', `    tls: ${tls}`, `services: ${services}`];
  await writeFile(at('pilotlight.yaml'), `${lines.join('\n')}\n`);
  const out: string[] = [];
  const take = (line: string) => out.push(line.replaceAll(cwd, ''));
  const code = await runCheck({
    file: undefined,
    json: false,
    env: { HOME: cwd },
    cwd,
    out: take,
    err: take,
    inspectCertificates,
  });
  return { code, out };
}

const SITE = '{ certificates: [{ cert: site.pem, key: site.key }] }';

test('a sound certificate is summed up with the days that it has left', async () => {
  await put(site);
  const { code, out } = await check(SITE);
  expect(code).toBe(0);
  expect(out).toContain('certificate for site.test: 29 days left');
  expect(out.filter((line) => line.startsWith('warning'))).toEqual([]);
});

test('a key in the certificate file, and a folder, are read', async () => {
  await writeFile(at('bundle.pem'), site.cert + site.key, { mode: 0o600 });
  expect((await check('{ certificates: [{ cert: bundle.pem }] }')).code).toBe(0);
  await put(other, 'other');
  const { out } = await check('{ certificates: [{ folder: . }] }');
  expect(out.filter((line) => line.includes('days left'))).toEqual([
    'certificate for site.test: 29 days left',
    'certificate for other.test: 29 days left',
  ]);
});

test.each<[string, () => Promise<unknown>, string]>([
  ['a missing file', async () => undefined, '/site.pem: no such file'],
  ['a file that is none', () => put({ cert: 'nothing', key: site.key }), '/site.pem: holds no certificate (PEM)'],
  [
    'a broken certificate',
    () => put({ cert: site.cert.replace(/\n[A-Za-z0-9+/]{30}/, '\nxxxx'), key: site.key }),
    '/site.pem: holds a certificate that cannot be read',
  ],
  [
    "another's key",
    () => put({ cert: site.cert, key: other.key }),
    '/site.key: is not the key of the certificate in /site.pem',
  ],
  [
    'an encrypted key',
    () => put({ cert: site.cert, key: encryptKey(site) }),
    '/site.key: the key is encrypted: write it without a passphrase (openssl pkey -in FILE -out FILE)',
  ],
  ['no key', () => put({ cert: site.cert, key: '' }), '/site.key: holds no private key (PEM)'],
])('%s is an error at its place', async (_name, prepare, message) => {
  await prepare();
  expect(await check(SITE)).toEqual({
    code: 1,
    out: [`pilotlight.yaml:3:27  listen[0].tls.certificates[0]: ${message}`],
  });
});

test('authorities of clients that cannot be read are an error', async () => {
  await put(site);
  const { code, out } = await check(
    '{ certificates: [{ cert: site.pem, key: site.key }], clientAuth: { ca: ca.pem } }',
  );
  expect(code).toBe(1);
  expect(out[0]).toMatch(/listen\[0\]\.tls\.clientAuth\.ca: \/ca\.pem: no such file$/);
});

test.each<[string, () => Promise<unknown>, RegExp]>([
  [
    'expired',
    () => put(makeCertificate({ names: ['site.test'], from: '20200101000000Z', until: '20210101000000Z' })),
    /\/site\.pem: expired on 2021-01-01: clients refuse it$/,
  ],
  [
    'not valid yet',
    () => put(makeCertificate({ names: ['site.test'], from: '20390101000000Z', until: '20400101000000Z' })),
    /\/site\.pem: is not valid before 2039-01-01: clients refuse it$/,
  ],
  ['without names', () => put(makeCertificate({ names: [], subject: '/O=Nobody' })), /\/site\.pem: has no names/],
  [
    'with a key that others can read',
    async () => {
      await put(site);
      await chmod(at('site.key'), 0o644);
    },
    /\/site\.key: everybody on this machine can read the key: chmod o= it$/,
  ],
])('a certificate %s is a warning', async (_name, prepare, message) => {
  await prepare();
  const { code, out } = await check(SITE);
  expect(code).toBe(0);
  expect(out.filter((line) => line.startsWith('warning'))).toEqual([expect.stringMatching(message)]);
});

test.each([
  ['a missing authority', '{ ca: ca.pem }', 'services.app.upstream.tls.ca: /ca.pem: no such file'],
  [
    'a key of another certificate',
    '{ cert: site.pem, key: other.key }',
    'services.app.upstream.tls.cert: /other.key: is not the key of the certificate in /site.pem',
  ],
])('%s of a service is told with its place', async (_, tls, expected) => {
  await put(site);
  await put(other, 'other');
  const app = `routes: [{ path: / }], endpoints: { static: ["x:1"] }, upstream: { tls: ${tls} }`;
  const { code, out } = await check(SITE, `{ app: { ${app} } }`);
  expect([code, out.length]).toEqual([1, 1]);
  expect(out[0]).toMatch(/^pilotlight\.yaml:4:\d+ /);
  expect(out[0]).toContain(expected);
});
