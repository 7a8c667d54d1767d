import { PilotlightError } from '../../model/errors.ts';
import type { AcmeSettings, ExternalAccount } from '../../model/tls-settings.ts';
import type { Clock } from '../../util/clock.ts';
import { readAuthorities, readWhole } from '../read-certificate.ts';
import { Account } from './account.ts';
import { Authority } from './authority.ts';
import { AcmeIssuer, type Issuer } from './issuer.ts';
import type { CertificateStore } from './store.ts';
import { Transport } from './transport.ts';

/** The issuer that settings describe. Nothing is asked yet. @throws CERTIFICATE_UNUSABLE: a file that they name cannot be read */
export async function openIssuer(settings: AcmeSettings, store: CertificateStore, clock: Clock): Promise<Issuer> {
  const { directory, email, eab, ca, challenge, profile } = settings;
  const trusted = ca === undefined ? undefined : await readAuthorities(ca);
  if (trusted !== undefined && 'fault' in trusted) throw new PilotlightError('CERTIFICATE_UNUSABLE', trusted.fault);
  const binding = eab && { kid: eab.kid, hmac: await hmacOf(eab) };
  const authority = new Authority(new Transport(clock, trusted?.ca), clock, directory);
  const account = new Account(store.account(eab?.kid), authority, { email, binding });
  return new AcmeIssuer(clock, authority, account, { challenge, profile });
}

/** The secret of an external account. @throws CERTIFICATE_UNUSABLE */
export async function hmacOf({ hmac, hmacFile = '' }: ExternalAccount): Promise<string> {
  if (hmac !== undefined) return hmac;
  const reading = await readWhole(hmacFile);
  if ('fault' in reading) throw new PilotlightError('CERTIFICATE_UNUSABLE', reading.fault);
  const text = reading.text.trim();
  if (!isHmac(text)) throw new PilotlightError('CERTIFICATE_UNUSABLE', `${hmacFile}: holds no key in base64url`);
  return text;
}

/** Whether a text is a secret as authorities give it (RFC 8555 §7.3.4). */
function isHmac(text: string): boolean {
  return /^[A-Za-z0-9_-]+=*$/.test(text);
}
