import { hkdfSync } from 'node:crypto';
import type { ConnectionOptions, TlsOptions } from 'node:tls';
import { type ErrorCode, PilotlightError } from '../../../model/errors.ts';

/**
 * Members know each other by a secret that all of them have, and by nothing else: a key that TLS takes as it is (PSK,
 * RFC 5489) proves both sides in one handshake, needs no certificate that expires and no clock that is right. The key
 * exchange is ephemeral, so that who learns the secret later reads nothing of what passed before.
 */
const COMMON = {
  ciphers: 'ECDHE-PSK-CHACHA20-POLY1305',
  // Node offers keys of this kind in TLS 1.2 alone.
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.2',
} as const;

/** What identities may be long at most, by OpenSSL, bytes. */
const MAX_IDENTITY = 128;

/** How a member presents itself in the handshake: by its cluster, so that a stranger is told from a wrong secret. */
function identityOf(cluster: string): string {
  return encodeURIComponent(cluster).slice(0, MAX_IDENTITY);
}

/** The key of the members' connections; another cluster has another one, also by the same secret. */
export function wireKey(secret: string, cluster: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, cluster, 'pilotlight cluster wire', 32));
}

export function serverTls(cluster: string, key: Buffer): TlsOptions {
  const identity = identityOf(cluster);
  return {
    ...COMMON,
    pskCallback: (_socket, offered) => (offered === identity ? key : null),
    pskIdentityHint: identity,
  };
}

export function clientTls(cluster: string, key: Buffer): ConnectionOptions {
  return {
    ...COMMON,
    pskCallback: () => ({ psk: new Uint8Array(key), identity: identityOf(cluster) }),
    // There is no certificate to check: who has the key is a member.
    checkServerIdentity: () => undefined,
  };
}

/** What OpenSSL says, here or at the peer (as its alert), where identities or keys differ. */
const CAUSES: readonly [RegExp, ErrorCode, string][] = [
  [/PSK_IDENTITY/i, 'CLUSTER_OTHER', 'it belongs to a cluster of another name'],
  [/BAD_RECORD_MAC|DECRYPT/i, 'CLUSTER_SECRET_WRONG', 'it has another secret'],
];

/**
 * What ended a connection before it was proved.
 * @param peer whom it led to, or who came, in words
 */
export function handshakeError(peer: string, cause: Error & { code?: string | undefined }): PilotlightError {
  const { code = '' } = cause;
  for (const [pattern, kind, words] of CAUSES) {
    if (pattern.test(code)) return new PilotlightError(kind, `${peer} is no member of this cluster: ${words}`, cause);
  }
  const reason = code.startsWith('ERR_SSL') ? 'it does not speak the language of members' : cause.message;
  return new PilotlightError('CLUSTER_LINK_FAILED', `no link with ${peer}: ${reason}`, cause);
}
