import type { ClientAuthSettings, TlsSettings } from '../model/tls-settings.ts';
import { findPairs } from './find-pairs.ts';
import { type CertificatePair, type CertificateReading, readCertificate } from './read-certificate.ts';
import { type ClientAuthReading, readClientAuth } from './read-client-auth.ts';

/** One certificate that a listener names, or the fault that kept it from being found. */
export interface ReadPair {
  /** Where in the configuration. */
  path: string;
  /** Undefined: its folder cannot be read. */
  pair: CertificatePair | undefined;
  reading: CertificateReading;
}

/** What one `clientAuth` names. */
export interface ReadClientAuth {
  /** Where in the configuration. */
  path: string;
  settings: ClientAuthSettings;
  reading: ClientAuthReading;
}

/** What came of reading all that `tls` of a listener names. */
export interface TlsReading {
  pairs: ReadPair[];
  /** That of the listener and those of its names. */
  clientAuths: ReadClientAuth[];
}

/** Reads all files that `tls` of a listener names. @param base where in the configuration it stands */
export async function readTls(tls: TlsSettings, base: string): Promise<TlsReading> {
  const pairs: ReadPair[] = [];
  for (const [index, files] of tls.certificates.entries()) {
    const path = `${base}.certificates[${index}]`;
    const found = await findPairs(files);
    if ('fault' in found) pairs.push({ path, pair: undefined, reading: found });
    else for (const pair of found) pairs.push({ path, pair, reading: await readCertificate(pair) });
    if (Array.isArray(found) && found.length === 0) {
      pairs.push({ path, pair: undefined, reading: { fault: `${files.folder}: holds no certificates` } });
    }
  }
  const clientAuths: ReadClientAuth[] = [];
  for (const [path, settings] of clientAuthsOf(tls)) {
    clientAuths.push({ path: `${base}.${path}`, settings, reading: await readClientAuth(settings) });
  }
  return { pairs, clientAuths };
}

/** All that ask for certificates in `tls` of a listener, and where. */
export function clientAuthsOf({ clientAuth, names }: TlsSettings): [path: string, settings: ClientAuthSettings][] {
  const all: [string, ClientAuthSettings | undefined][] = [
    ['clientAuth', clientAuth],
    ...names.map((each, at): [string, ClientAuthSettings | undefined] => [`names[${at}].clientAuth`, each.clientAuth]),
  ];
  return all.flatMap(([path, settings]) => (settings === undefined ? [] : [[path, settings]]));
}
