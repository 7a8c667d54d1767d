/** How a listener ends TLS, as configured: where its certificates lie, and what it asks of clients. */
export interface TlsSettings {
  /** At least one; the first certificate of all is used where no name decides. */
  certificates: CertificateFiles[];
  /** Oldest version that is spoken. */
  minVersion: TlsVersion;
  /** A handshake for a name that no certificate has ends, and so does one without a name. */
  strictSni: boolean;
  /** OpenSSL's names of the cipher suites; empty: a modern choice. */
  ciphers: string[];
  /** Undefined: clients are not asked for a certificate. */
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
  /** `optional`: clients without a certificate are let in; one that cannot be verified never is. */
  mode: 'required' | 'optional';
}
