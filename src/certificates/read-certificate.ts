import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Certificate, CertificateFacts } from '../model/certificates.ts';
import { printable } from '../util/printable.ts';
import { namesOf } from './certificate-names.ts';
import { isEncrypted, readPem } from './pem.ts';

/** A certificate's file, and that of its key; undefined: it is in the same file. */
export interface CertificatePair {
  cert: string;
  key: string | undefined;
}

/** What is in the files of a certificate, or why it cannot be used: one line that names the file. */
export type CertificateReading = { certificate: Certificate; facts: CertificateFacts } | { fault: string };

/** Most characters of an issuer's name that are told. */
const MOST_ISSUER = 100;

const READ_FAULTS: Record<string, string> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'this is a folder, not a file',
  EACCES: 'may not be read (permission denied)',
  EPERM: 'may not be read (permission denied)',
};

/** Reads a certificate with its key, and judges whether they can be used. Never rejects; says nothing of what is secret. */
export async function readCertificate(pair: CertificatePair): Promise<CertificateReading> {
  const { cert, key } = pair;
  try {
    return judgeCertificate(await readText(cert), key === undefined ? undefined : await readText(key), pair);
  } catch (error) {
    if (error instanceof Unusable) return { fault: error.message };
    throw error;
  }
}

/**
 * The same of what is read already, or is about to be written.
 * @param keyText what is in the key's file; undefined: it is in the certificate's
 */
export function judgeCertificate(
  text: string,
  keyText: string | undefined,
  { cert, key }: CertificatePair,
): CertificateReading {
  try {
    const pem = readPem(text);
    const [leaf] = pem.certificates;
    if (leaf === undefined) throw new Unusable(`${cert}: holds no certificate (PEM)`);
    const keys = keyText === undefined ? pem.keys : readPem(keyText).keys;
    if (keys[0] === undefined) throw new Unusable(noKey(cert, key));
    const x509 = parsed(leaf, cert);
    for (const other of pem.certificates.slice(1)) parsed(other, cert);
    const where = key ?? cert;
    const privateKey = keyIn(keys[0], where);
    if (!x509.checkPrivateKey(privateKey)) throw new Unusable(mismatch(cert, key));
    const names = namesOf(x509);
    return {
      certificate: {
        id: x509.fingerprint256,
        chain: pem.certificates.join('\n'),
        key: keys[0],
        keyType: privateKey.asymmetricKeyType ?? 'other',
        names,
      },
      facts: {
        file: cert,
        keyFile: where,
        name: names[0] ?? basename(cert),
        names,
        issuer: issuerOf(x509),
        notBefore: x509.validFromDate.getTime(),
        notAfter: x509.validToDate.getTime(),
      },
    };
  } catch (error) {
    if (error instanceof Unusable) return { fault: error.message };
    throw error;
  }
}

/**
 * What should be seen to, though the certificate can be used.
 * @param now ms since the epoch
 * @param outcome what others make of one that is not valid
 */
export async function warningsOf(
  { file, keyFile, names, notBefore, notAfter }: CertificateFacts,
  now: number,
  outcome = 'clients refuse it',
): Promise<string[]> {
  const warnings: string[] = [];
  if (notAfter <= now) warnings.push(`${file}: expired on ${day(notAfter)}: ${outcome}`);
  if (notBefore > now) warnings.push(`${file}: is not valid before ${day(notBefore)}: ${outcome}`);
  if (names.length === 0) warnings.push(`${file}: has no names: it is used only where no other certificate is`);
  const mode = await stat(keyFile).then(
    (found) => found.mode,
    () => 0,
  );
  if ((mode & 0o004) !== 0) warnings.push(`${keyFile}: everybody on this machine can read the key: chmod o= it`);
  return warnings;
}

/** Reads the certificates of authorities. @returns PEM, or why there are none */
export async function readAuthorities(file: string): Promise<{ ca: string } | { fault: string }> {
  try {
    const { certificates } = readPem(await readText(file));
    if (certificates.length === 0) throw new Unusable(`${file}: holds no certificate (PEM)`);
    for (const each of certificates) parsed(each, file);
    return { ca: certificates.join('\n') };
  } catch (error) {
    if (error instanceof Unusable) return { fault: error.message };
    throw error;
  }
}

/** What is in a file, a character for a byte, or why it cannot be read: one line that names it. */
export async function readWhole(file: string): Promise<{ text: string } | { fault: string }> {
  try {
    return { text: await readFile(file, 'latin1') };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return { fault: `${file}: ${READ_FAULTS[code] ?? `cannot be read (${code})`}` };
  }
}

/** Why files cannot be used, in one line. */
export class Unusable extends Error {}

/** @throws Unusable */
export async function readText(file: string): Promise<string> {
  const reading = await readWhole(file);
  if ('fault' in reading) throw new Unusable(reading.fault);
  return reading.text;
}

function parsed(block: string, file: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw new Unusable(`${file}: holds a certificate that cannot be read`);
  }
}

function keyIn(block: string, file: string): KeyObject {
  if (isEncrypted(block)) {
    throw new Unusable(
      `${file}: the key is encrypted: write it without a passphrase (openssl pkey -in FILE -out FILE)`,
    );
  }
  try {
    return createPrivateKey(block);
  } catch {
    throw new Unusable(`${file}: holds a key that cannot be read`);
  }
}

function noKey(cert: string, key: string | undefined): string {
  return key === undefined
    ? `${cert}: holds no private key: put it into the file, or name its file as key`
    : `${key}: holds no private key (PEM)`;
}

function mismatch(cert: string, key: string | undefined): string {
  return key === undefined
    ? `${cert}: the key in it is not that of its first certificate`
    : `${key}: is not the key of the certificate in ${cert}`;
}

/** The most telling part of who signed it. */
function issuerOf({ issuer }: X509Certificate): string {
  const parts = (issuer ?? '').split('\n');
  const named = (key: string) => parts.find((part) => part.startsWith(`${key}=`))?.slice(key.length + 1);
  return printable(named('CN') ?? named('O') ?? parts[0] ?? '', MOST_ISSUER);
}

/** The day of an instant, as people write it. @param at ms since the epoch */
export function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
