const UNTRUSTED = 'no authority that is trusted has signed its certificate: see upstream.tls.ca';
const NO_TLS = 'it does not speak TLS';
const NEEDS_CERTIFICATE = 'it wants a certificate of the proxy: see upstream.tls.cert';

/** What went wrong in a handshake, in words for an operator. Other codes stand for themselves. */
const FAULTS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  ERR_SSL_UNEXPECTED_MESSAGE: NO_TLS,
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: NEEDS_CERTIFICATE,
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it does not take the certificate of the proxy: see upstream.tls.cert',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the certificate of the proxy: see upstream.tls.cert',
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: 'it does not speak the protocol of upstream.protocol',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no version of TLS from 1.2 on',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS from 1.2 on',
  ECONNRESET: 'it closed the connection within the handshake',
};

/** Whether an error can only come from TLS, whenever it comes. */
export function isHandshakeError(code: string): boolean {
  if (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')) return true;
  return code !== 'ECONNRESET' && Object.hasOwn(FAULTS, code);
}

/** Says why a handshake failed. Nothing in it comes from the other end. */
export function handshakeFault({ code = '', host }: NodeJS.ErrnoException & { host?: string }): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return `its certificate is for another name than ${host}`;
  return FAULTS[code] ?? `the handshake failed (${code || 'closed'})`;
}
