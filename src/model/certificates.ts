import type { ListenSettings } from './settings.ts';
import type { ClientAuthSettings, TlsVersion } from './tls-settings.ts';

/** A certificate and its key as handshakes need them. Secret: it goes to the edges and nowhere else. */
export interface Certificate {
  /** Fingerprint (SHA-256) of the certificate itself: what it is told apart by. */
  id: string;
  /** PEM: the certificate and what leads to its authority. */
  chain: string;
  /** PEM. */
  key: string;
  /** Kind of the key, such as `ec` or `rsa`: a name may have a certificate of each. */
  keyType: string;
  /** Names and addresses that it is for: lower case, `*.` for one label. */
  names: string[];
}

/** All that the handshakes of a listener need, replaced whole. Plain data, secret. */
export interface TlsMaterial {
  /** The first one is used where no name decides; of a name's with keys of one kind, the first one. */
  certificates: Certificate[];
  minVersion: TlsVersion;
  strictSni: boolean;
  ciphers: string[];
  clientAuth: { ca: string; mode: ClientAuthSettings['mode'] } | undefined;
  /** The keys of session tickets, 48 bytes as Base64: the same in all processes. */
  ticketKeys: string;
}

/** A listener as the edge serves it: what the configuration names is read. */
export type EdgeListener = Omit<ListenSettings, 'tls'> & { tls?: TlsMaterial | undefined };

/** What is known of a certificate, for people and figures. Nothing in it is secret. */
export interface CertificateFacts {
  /** The files that it and its key came from. */
  file: string;
  keyFile: string;
  /** Its first name; that of the file where it has none. */
  name: string;
  /** How many names it has. */
  names: number;
  /** When it begins and ends to be valid, ms since the epoch. */
  notBefore: number;
  notAfter: number;
}

/** Something about what `tls` of a listener names. */
export interface CertificateFinding {
  /** Where in the configuration: `listen[0].tls.certificates[1]`. */
  path: string;
  /** `fault`: it cannot be used. */
  kind: 'fault' | 'warning';
  /** One line that names the file. */
  message: string;
}

/** What came of reading all that listeners name. */
export interface CertificateInspection {
  findings: CertificateFinding[];
  certificates: CertificateFacts[];
}

/** The keys of session tickets, for another process of this proxy. Secret. */
export interface TicketKeysView {
  /** 48 bytes as Base64. */
  keys: string;
  /** ms since the epoch. */
  madeAt: number;
}

/** Something happened to a certificate that is in use, in one line. */
export interface CertificateNews {
  type: 'certificate-changed' | 'certificate-refused';
  message: string;
  file: string;
}

/** Where the certificates of listeners come from. */
export interface CertificateSource {
  /**
   * Reads what these listeners name. What cannot be used any more is served as it was, and said once.
   * @throws CERTIFICATE_UNUSABLE where a listener would have no certificate at all
   */
  equip(listeners: readonly ListenSettings[]): Promise<EdgeListener[]>;
  /** Watches what these listeners name, in place of those before. */
  follow(listeners: readonly ListenSettings[]): void;
  /** The listeners that are followed, with what their files hold now. Never rejects for what is in a file. */
  renew(): Promise<EdgeListener[]>;
  /** The certificates in use. */
  readonly facts: readonly CertificateFacts[];
  /** For a process that replaces this one. */
  readonly ticketKeys: TicketKeysView;
  /** Watches no more. */
  close(): void;
}
