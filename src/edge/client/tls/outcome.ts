/** How a TLS handshake ended, as it is counted. */
export type HandshakeOutcome =
  | 'full'
  | 'resumed'
  /** A proof that a host is ours was shown, and the connection closed (TLS-ALPN-01, RFC 8737). */
  | 'proof'
  /** It took longer than `timeouts.handshake`. */
  | 'timeout'
  /** `limits.handshakes` others came after it. */
  | 'crowded-out'
  /** What came is no TLS; HTTP is told apart. */
  | 'not-tls'
  | 'http'
  /** The client ended it without a word. */
  | 'left'
  /** The client does not take our certificate, or something else of ours. */
  | 'refused-by-client'
  | 'version'
  /** No cipher suite, kind of key or group in common. */
  | 'cipher'
  /** `strictSni`: no certificate is for the name, or there is no name. Or there is no certificate at all yet. */
  | 'unknown-name'
  /** None of the protocols that the client offers (ALPN). */
  | 'protocol'
  /** The client has none, or one that cannot be verified. */
  | 'client-certificate'
  /** Its authority has revoked it. */
  | 'revoked'
  /** A revocation list that is needed to tell is missing or expired. */
  | 'revocation-unknown'
  | 'broken';

const OUTCOMES: Record<string, HandshakeOutcome> = {
  ECONNRESET: 'left',
  EPIPE: 'left',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'version',
  ERR_SSL_WRONG_VERSION_NUMBER: 'version',
  ERR_SSL_NO_SHARED_CIPHER: 'cipher',
  ERR_SSL_NO_SUITABLE_SIGNATURE_ALGORITHM: 'cipher',
  ERR_SSL_NO_SUITABLE_KEY_SHARE: 'cipher',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'protocol',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'client-certificate',
};

/** Why a client with a certificate was not let in, by OpenSSL's code. */
export function certificateOutcome(code: string): HandshakeOutcome {
  if (code === 'CERT_REVOKED') return 'revoked';
  return code === 'UNABLE_TO_GET_CRL' || code.startsWith('CRL_') ? 'revocation-unknown' : 'client-certificate';
}

/** How a handshake ended that failed with this error of Node's. */
export function outcomeOf(error: NodeJS.ErrnoException): HandshakeOutcome {
  const { code = '' } = error;
  const known = OUTCOMES[code];
  if (known !== undefined) return known;
  return /^ERR_SSL_(?:TLSV1|TLSV13|SSLV3)_ALERT_/.test(code) ? 'refused-by-client' : 'broken';
}
