import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { nextUpdateOf } from '../../src/certificates/next-update.ts';
import { crlWarning, readClientAuth } from '../../src/certificates/read-client-auth.ts';
import { makeCertificate, makeCrl } from '../support/certificates.ts';

const authority = makeCertificate({ names: [], subject: '/CN=Clients', isAuthority: true });

async function files(crl: string, ca = authority.cert) {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-client-auth-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const at = { ca: join(folder, 'ca.pem'), crl: join(folder, 'ca.crl'), mode: 'required' as const };
  await writeFile(at.ca, ca);
  await writeFile(at.crl, crl);
  return at;
}

test.each([
  ['20490101000000Z', Date.UTC(2049, 0, 1)],
  ['20510203040506Z', Date.UTC(2051, 1, 3, 4, 5, 6)],
  ['20210101000000Z', Date.UTC(2021, 0, 1)],
])('a list that is due at %s says so', (until, ms) => {
  expect(nextUpdateOf(makeCrl(authority, [], until))).toBe(ms);
});

test('the first of several lists to be due is the one that is warned of, from then on', async () => {
  const settings = await files(makeCrl(authority) + makeCrl(authority, [], '20210101000000Z'));
  const reading = await readClientAuth(settings);
  expect(reading).toMatchObject({ crlUntil: Date.UTC(2021, 0, 1), material: { mode: 'required' } });
  expect(crlWarning(settings, reading, Date.UTC(2020, 11, 31))).toBeUndefined();
  expect(crlWarning(settings, reading, Date.UTC(2026, 0, 1))).toBe(
    `${settings.crl}: expired on 2021-01-01: nobody with a certificate is let in until it is replaced`,
  );
});

test.each([
  ['an empty file', '', 'holds no revocation list (PEM)'],
  [
    'a list that is none',
    '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n',
    'holds a revocation list that cannot be read',
  ],
])('%s is a fault in one line', async (_name, crl, fault) => {
  const settings = await files(crl);
  expect(await readClientAuth(settings)).toEqual({ fault: `${settings.crl}: ${fault}`, file: settings.crl });
});

test('a file that is missing is named', async () => {
  const settings = await files(makeCrl(authority));
  await rm(settings.crl);
  expect(await readClientAuth(settings)).toEqual({ fault: `${settings.crl}: no such file`, file: settings.crl });
});
