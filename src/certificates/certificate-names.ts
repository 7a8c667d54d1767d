import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { canonicalIpv6 } from '../util/ip-address.ts';

/** One of the names in `subjectAltName` as Node writes it; a text with a comma stands in quotes. */
const NAME = /(DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g;
/** A host name, or `*.` and one: anything else is asked for by nobody. */
const HOST = /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?$/;

/**
 * Names and addresses that a certificate is for, lower case, as often as there are. A subject's common name counts
 * where there is no other name: private authorities still make such certificates.
 */
export function namesOf({ subjectAltName, subject }: X509Certificate): string[] {
  const names = new Set<string>();
  for (const [, kind, value = ''] of (subjectAltName ?? '').matchAll(NAME)) {
    const name = value.trim().toLowerCase();
    if (kind === 'DNS' && HOST.test(name)) names.add(name.replace(/\.$/, ''));
    if (kind !== 'DNS' && isIP(name) !== 0) names.add(isIP(name) === 6 ? canonicalIpv6(name) : name);
  }
  const common = /^CN=(.*)$/m.exec(subject ?? '')?.[1]?.toLowerCase();
  if (names.size === 0 && subjectAltName === undefined && common !== undefined && HOST.test(common)) names.add(common);
  return [...names];
}

/** Whether one of these names is for a host: itself, or a wildcard in the place of its first label. */
export function areFor(names: readonly string[], host: string): boolean {
  const dot = host.indexOf('.');
  return names.includes(host) || (dot > 0 && names.includes(`*${host.slice(dot)}`));
}
