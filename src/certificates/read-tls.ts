import type { TlsSettings } from '../model/tls-settings.ts';
import { findPairs } from './find-pairs.ts';
import { type CertificatePair, type CertificateReading, readAuthorities, readCertificate } from './read-certificate.ts';

/** One certificate that a listener names, or the fault that kept it from being found. */
export interface ReadPair {
  /** Where in the configuration. */
  path: string;
  /** Undefined: its folder cannot be read. */
  pair: CertificatePair | undefined;
  reading: CertificateReading;
}

/** What came of reading all that `tls` of a listener names. */
export interface TlsReading {
  pairs: ReadPair[];
  authorities: { path: string; file: string; reading: { ca: string } | { fault: string } } | undefined;
}

/** Reads all files that `tls` of a listener names. @param base where in the configuration it stands */
export async function readTls({ certificates, clientAuth }: TlsSettings, base: string): Promise<TlsReading> {
  const pairs: ReadPair[] = [];
  for (const [index, files] of certificates.entries()) {
    const path = `${base}.certificates[${index}]`;
    const found = await findPairs(files);
    if ('fault' in found) pairs.push({ path, pair: undefined, reading: found });
    else for (const pair of found) pairs.push({ path, pair, reading: await readCertificate(pair) });
    if (Array.isArray(found) && found.length === 0) {
      pairs.push({ path, pair: undefined, reading: { fault: `${files.folder}: holds no certificates` } });
    }
  }
  const authorities = clientAuth && {
    path: `${base}.clientAuth.ca`,
    file: clientAuth.ca,
    reading: await readAuthorities(clientAuth.ca),
  };
  return { pairs, authorities };
}
