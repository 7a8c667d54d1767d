import { createSecureContext } from 'node:tls';
import type { ClientAuthMaterial } from '../model/certificates.ts';
import type { ClientAuthSettings } from '../model/tls-settings.ts';
import { nextUpdateOf } from './next-update.ts';
import { readPem } from './pem.ts';
import { day, readAuthorities, readText, Unusable } from './read-certificate.ts';

/** Who may come with a certificate, and which file has to be seen to; or why nobody can, in one line. */
export type ClientAuthReading =
  | {
      material: ClientAuthMaterial;
      /** When the first of the revocation lists is due to be replaced, ms since the epoch; undefined: none is. */
      crlUntil: number | undefined;
    }
  | { fault: string; file: string };

/** Reads the certificates of authorities, and their revocation lists. Never rejects for what is in a file. */
export async function readClientAuth({ ca, crl, mode }: ClientAuthSettings): Promise<ClientAuthReading> {
  const authorities = await readAuthorities(ca);
  if ('fault' in authorities) return { ...authorities, file: ca };
  const material = { ca: authorities.ca, crl: undefined, mode };
  if (crl === undefined) return { material, crlUntil: undefined };
  try {
    const { crls } = readPem(await readText(crl));
    if (crls.length === 0) throw new Unusable(`${crl}: holds no revocation list (PEM)`);
    const ends = crls.map((each) => nextUpdateOf(checked(each, crl))).filter((end) => end !== undefined);
    return { material: { ...material, crl: crls }, crlUntil: ends.length === 0 ? undefined : Math.min(...ends) };
  } catch (error) {
    if (error instanceof Unusable) return { fault: error.message, file: crl };
    throw error;
  }
}

function checked(list: string, file: string): string {
  try {
    createSecureContext({ crl: list });
    return list;
  } catch {
    throw new Unusable(`${file}: holds a revocation list that cannot be read`);
  }
}

/** What should be seen to, though the lists can be used. @param now ms since the epoch */
export function crlWarning({ crl }: ClientAuthSettings, reading: ClientAuthReading, now: number): string | undefined {
  if (crl === undefined || 'fault' in reading || reading.crlUntil === undefined || reading.crlUntil > now) {
    return undefined;
  }
  return `${crl}: expired on ${day(reading.crlUntil)}: nobody with a certificate is let in until it is replaced`;
}
