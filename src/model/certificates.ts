import type { ListenSettings } from './settings.ts';
import type { AcmeChallenge, ClientAuthSettings, NameSettings, TlsVersion } from './tls-settings.ts';

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

/** Who may come with a certificate. PEM. */
export interface ClientAuthMaterial {
  ca: string;
  /** Revocation lists, each a block; of every authority in a client's chain one has to be there. Undefined: none is asked. */
  crl: string[] | undefined;
  mode: ClientAuthSettings['mode'];
}

/** What handshakes have to be like. */
interface HandshakeRules {
  minVersion: TlsVersion;
  ciphers: string[];
  curves: string[];
  clientAuth: ClientAuthMaterial | undefined;
}

/** All that the handshakes of a listener need, replaced whole. Plain data, secret. */
export interface TlsMaterial extends HandshakeRules {
  /** The first one is used where no name decides; of a name's with keys of one kind, the first one. */
  certificates: Certificate[];
  strictSni: boolean;
  /** Clients may resume sessions. */
  tickets: boolean;
  /** What differs for some names. */
  names: (HandshakeRules & Pick<NameSettings, 'hosts'>)[];
  /** The keys of session tickets, 48 bytes as Base64: the same in all processes. */
  ticketKeys: string;
  /** Shown to who proves by TLS-ALPN-01 that a host is ours (RFC 8737), and to nobody else; absent: nobody does. */
  proofs?: Certificate[] | undefined;
}

/** A listener as the edge serves it: what the configuration names is read. */
export interface EdgeListener extends Omit<ListenSettings, 'tls'> {
  tls?: TlsMaterial | undefined;
  /** What HTTP-01 asks for (RFC 8555 §8.3): the answer by token; absent: nobody does. */
  acmeAnswers?: Readonly<Record<string, string>> | undefined;
}

/** What is known of a certificate, for people and figures. Nothing in it is secret. */
export interface CertificateFacts {
  /** The files that it and its key came from. */
  file: string;
  keyFile: string;
  /** Its first name; that of the file where it has none. */
  name: string;
  /** Names and addresses that it is for. */
  names: string[];
  /** Name of who signed it. */
  issuer: string;
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
  orders: OrderPlan[];
}

/** The keys of session tickets, for another process of this proxy. Secret. */
export interface TicketKeysView {
  /** 48 bytes as Base64. */
  keys: string;
  /** ms since the epoch. */
  madeAt: number;
}

/** Something happened to a certificate that is in use or is to be, in one line. */
export interface CertificateNews {
  type:
    | 'certificate-changed'
    | 'certificate-refused'
    | 'certificate-ordered'
    | 'certificate-issued'
    | 'certificate-renewed'
    | 'certificate-failed'
    | 'certificate-removed';
  message: string;
  /** What it is about, where that is a file, and where it is the order for a host. */
  file?: string;
  host?: string;
  /** When an order is tried again, ISO 8601. */
  nextTryAt?: string;
}

/** How an order stands, or a certificate that is renewed by orders. */
export type OrderState = 'served' | 'ordering' | 'backing-off';

/** A certificate as the admin API shows it. Times are ISO 8601. */
export interface CertificateStatus {
  /** Its first name; that of the file where it has none; the host that it is ordered for. */
  name: string;
  names: string[];
  /** `file`: it is read from one that the configuration names. */
  source: 'file' | 'acme';
  /** Null, as are its issuer and times: it is not there yet. */
  file: string | null;
  issuer: string | null;
  notBefore: string | null;
  notAfter: string | null;
  /** Null where it is not ordered. */
  order: {
    state: OrderState;
    /** Address of the authority's directory. */
    directory: string;
    challenge: AcmeChallenge;
    /** The member of the cluster that orders it; null: this proxy acts alone, or it is not known yet. */
    by: string | null;
    /** When it is renewed; null where it is being ordered, or by another member. */
    renewAt: string | null;
    /** Null where nothing failed since the last success. */
    failure: { at: string; message: string; inARow: number; nextTryAt: string } | null;
  } | null;
}

/** What will be asked of an authority, without having asked. */
export interface OrderPlan {
  directory: string;
  challenge: AcmeChallenge;
  hosts: string[];
}

/** Where the certificates of listeners come from. */
export interface CertificateSource {
  /**
   * Reads what these listeners name. What cannot be used any more is served as it was, and said once.
   * @throws CERTIFICATE_UNUSABLE where a listener would have no certificate at all, and none is ordered for it
   */
  equip(listeners: readonly ListenSettings[]): Promise<EdgeListener[]>;
  /** The listeners that are followed. */
  readonly followed: readonly ListenSettings[];
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
