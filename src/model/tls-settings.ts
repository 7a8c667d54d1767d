/** How a listener ends TLS, as configured: where its certificates lie, and what it asks of clients. */
export interface TlsSettings {
  /** At least one, unless they are ordered; the first certificate of all is used where no name decides. */
  certificates: CertificateFiles[];
  /** Where certificates are ordered for hosts that none of these is for; undefined: nowhere. */
  acme: AcmeSettings | undefined;
  /** Oldest version that is spoken. */
  minVersion: TlsVersion;
  /** What differs for some names; of several the one with the most specific host holds. */
  names: NameSettings[];
  /** A handshake for a name that no certificate has ends, and so does one without a name. */
  strictSni: boolean;
  /** OpenSSL's names of the cipher suites; empty: a modern choice. */
  ciphers: string[];
  /** OpenSSL's names of the groups for the exchange of keys; empty: OpenSSL's choice. */
  curves: string[];
  /** Clients may resume sessions. */
  tickets: boolean;
  /** Undefined: clients are not asked for a certificate. */
  clientAuth: ClientAuthSettings | undefined;
}

/** What handshakes for some names have to be like; what is undefined, or empty, is as for the listener. */
export interface NameSettings {
  /** Exact, or `*.` for any depth below; lower case. */
  hosts: string[];
  minVersion: TlsVersion | undefined;
  ciphers: string[];
  curves: string[];
  clientAuth: ClientAuthSettings | undefined;
}

export type TlsVersion = '1.2' | '1.3';

/** Either `cert`, with its key in `key` or in the same file, or `folder`. Absolute paths. */
export interface CertificateFiles {
  cert: string | undefined;
  key: string | undefined;
  folder: string | undefined;
}

export interface ClientAuthSettings {
  /** Absolute path of the authorities' certificates. */
  ca: string;
  /** Absolute path of the authorities' revocation lists; undefined: nobody asks whether a certificate was revoked. */
  crl: string | undefined;
  /** `optional`: clients without a certificate are let in; one that cannot be verified never is. */
  mode: 'required' | 'optional';
}

/** How a hold over a host is proven (RFC 8555 §8.3, RFC 8737). */
export type AcmeChallenge = 'http-01' | 'tls-alpn-01';

/** An authority that certificates are ordered from, by ACME (RFC 8555). */
export interface AcmeSettings {
  /** Address of its directory: https. */
  directory: string;
  /** Where it writes to; undefined: nowhere. */
  email: string | undefined;
  challenge: AcmeChallenge;
  /** Name of the kind of certificates; undefined: the authority's usual one. */
  profile: string | undefined;
  /** The account that the operator has with it already; undefined: none. */
  eab: ExternalAccount | undefined;
  /** Absolute path of authorities to trust for the connection to it; undefined: the usual ones alone. */
  ca: string | undefined;
  /** For whom: the exact hosts of the routes of the listener. */
  hosts: string[];
}

/** An account with an authority, which one of ACME is bound to (RFC 8555 §7.3.4). One of `hmac` and `hmacFile` is there. */
export interface ExternalAccount {
  kid: string;
  /** Secret; base64url. */
  hmac: string | undefined;
  /** Absolute path of a file that holds it. */
  hmacFile: string | undefined;
}
