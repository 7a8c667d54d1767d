import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { UpstreamFiles } from '../../src/certificates/upstream-files.ts';
import type { CertificateNews } from '../../src/model/certificates.ts';
import { VirtualClock } from '../../src/util/virtual-clock.ts';
import { settingsOf } from '../config/parse.ts';
import { type Made, makeCertificate } from '../support/certificates.ts';
import { until } from '../support/until.ts';

const [old, renewed] = [makeCertificate({ names: ['proxy.test'] }), makeCertificate({ names: ['proxy.test'] })];

/** Files of one service over a folder of their own, on virtual time. */
async function setUp() {
  const folder = mkdtempSync(join(tmpdir(), 'pilotlight-upstream-'));
  const clock = new VirtualClock();
  const told: CertificateNews[] = [];
  let changes = 0;
  const files = new UpstreamFiles({ clock, tell: (news) => told.push(news), onChange: () => changes++ });
  onTestFinished(() => {
    files.close();
    rmSync(folder, { recursive: true });
  });
  const [cert, key, ca] = ['own.pem', 'own.key', 'ca.pem'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const put = (made: Made) => {
    writeFileSync(cert, made.cert);
    writeFileSync(key, made.key, { mode: 0o600 });
  };
  put(old);
  writeFileSync(ca, old.cert);
  const tls = `{ ca: ${ca}, cert: ${cert}, key: ${key} }`;
  const { services } = settingsOf(
    `listen: [{ address: 127.0.0.1:1 }]\nservices: { shop: { routes: [{ path: / }], endpoints: { static: ['127.0.0.1:1'] }, upstream: { tls: ${tls} } } }`,
  );
  files.use(await files.read(services));
  files.watch();
  const passUntil = (what: string, holds: () => boolean) =>
    until(what, () => {
      clock.advance(1000);
      return holds();
    });
  return { files, services, clock, told, put, cert, ca, passUntil, changes: () => changes };
}

test('a certificate that is exchanged is shown to replicas from then on, key and all', async () => {
  const { files, put, passUntil, told, changes } = await setUp();
  put(renewed);
  await passUntil('the new one is in use', () => changes() === 1);
  expect(files.byService.get('shop')).toMatchObject({ cert: renewed.cert.trim(), key: renewed.key.trim() });
  expect(told.map(({ type }) => type)).toEqual(['certificate-changed']);
});

test('nothing is exchanged before it is watched, and what changed until then is noticed', async () => {
  const { files, services, clock, put, passUntil, changes } = await setUp();
  files.close();
  files.use(await files.read(services));
  put(renewed);
  clock.advance(60_000);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(files.byService.get('shop')).toMatchObject({ cert: old.cert.trim() });
  files.watch();
  await passUntil('the new one is in use', () => changes() === 1);
  expect(files.byService.get('shop')).toMatchObject({ cert: renewed.cert.trim() });
});

test('an authority that is exchanged is trusted from then on', async () => {
  const { files, ca, passUntil, changes } = await setUp();
  writeFileSync(ca, renewed.cert);
  await passUntil('the new one is in use', () => changes() === 1);
  expect(files.byService.get('shop')?.ca).toBe(renewed.cert.trim());
});

test('a broken file leaves what was there before in use, is told once, and is taken when it is mended', async () => {
  const { files, put, cert, passUntil, told, changes } = await setUp();
  writeFileSync(cert, 'none');
  await passUntil('it is told', () => told.length > 0);
  expect(told[0]).toMatchObject({ type: 'certificate-refused', file: cert });
  expect(told[0]?.message).toMatch(/^shop: .*: what was there before is used on$/);
  expect(files.byService.get('shop')?.cert).toBe(old.cert.trim());
  writeFileSync(cert, 'nothing');
  put(renewed);
  await passUntil('the mended one is in use', () => changes() === 1);
  expect(told.map(({ type }) => type)).toEqual(['certificate-refused', 'certificate-changed']);
});

test('beside other services, what is in use stands in for a broken file, which is told once', async () => {
  const { files, services, put, cert, passUntil, told, changes, clock } = await setUp();
  writeFileSync(cert, 'none');
  files.use(await files.read(services, true));
  expect(files.byService.get('shop')?.cert).toBe(old.cert.trim());
  await passUntil('it is told', () => told.length > 0);
  files.use(await files.read(services, true));
  put(renewed);
  await passUntil('the mended one is in use', () => changes() === 1);
  clock.advance(10_000);
  expect(told.map(({ type }) => type)).toEqual(['certificate-refused', 'certificate-changed']);
});

test('a file that cannot be used is no reading: what is in use stays', async () => {
  const { files, services, cert } = await setUp();
  writeFileSync(cert, 'none');
  await expect(files.read(services)).rejects.toMatchObject({ code: 'CERTIFICATE_UNUSABLE' });
  expect(files.byService.get('shop')?.cert).toBe(old.cert.trim());
});
