import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsMaterial } from '../../../model/certificates.ts';
import { CertificateIndex, type CertificateSet } from './certificate-index.ts';

/** How long a client may resume a session, s: what it proved then is not asked for meanwhile. */
const SESSION_S = 3600;

const TLS13_SUITES = ['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'];
/** Forward secrecy and authenticated encryption, which every client of the last ten years speaks. */
const TLS12_SUITES = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/**
 * What handshakes of one listener go by, made of its material when it is first needed: of thousands of certificates few
 * are asked for at a time.
 */
export class SecureContexts {
  /** For the server itself. Where names are strict it has no certificate, so that a handshake by it fails. */
  readonly options: SecureContextOptions;
  readonly #index: CertificateIndex;
  readonly #isStrict: boolean;
  readonly #shared: SecureContextOptions;
  readonly #made = new Map<string, SecureContext>();

  /**
   * @param listener what tells the listener from others: its sessions are resumed nowhere else
   * @throws what OpenSSL says of the first certificate, the ciphers or the authorities
   */
  constructor(material: TlsMaterial, listener: string) {
    this.#index = new CertificateIndex(material.certificates);
    this.#isStrict = material.strictSni;
    this.#shared = sharedOptions(material, listener);
    this.options = this.#isStrict ? this.#shared : { ...this.#shared, ...pairsOf(this.#index.standard) };
    createSecureContext(this.#isStrict ? { ...this.#shared, ...pairsOf(this.#index.standard) } : this.options);
  }

  /** Whether a client may come by this name; undefined: it asked for none. */
  serves(name: string | undefined): boolean {
    const isAny = !this.#isStrict && this.#index.standard.length > 0;
    return isAny || (name !== undefined && this.#index.of(name) !== undefined);
  }

  /** The context for a name; undefined: the server's own. @throws what OpenSSL says of the certificate */
  of(name: string): SecureContext | undefined {
    const set = this.#index.of(name);
    // Node takes one certificate alone out of a context for a name; the server's own has those of all kinds of keys.
    const [first] = set === this.#index.standard && !this.#isStrict ? [] : (set ?? []);
    if (first === undefined) return undefined;
    let context = this.#made.get(first.id);
    if (context === undefined) {
      context = createSecureContext({ ...this.#shared, ...pairsOf([first]) });
      this.#made.set(first.id, context);
    }
    return context;
  }
}

function pairsOf(set: CertificateSet): SecureContextOptions {
  return { cert: set.map(({ chain }) => chain), key: set.map(({ key }) => key) };
}

function sharedOptions(material: TlsMaterial, listener: string): SecureContextOptions {
  const { minVersion, ciphers, curves, clientAuth, tickets, ticketKeys } = material;
  const { SSL_OP_NO_RENEGOTIATION, SSL_OP_NO_TICKET } = constants;
  return {
    minVersion: minVersion === '1.3' ? 'TLSv1.3' : 'TLSv1.2',
    ciphers: cipherList(ciphers),
    // All of them are good, and a client knows which it is fast at.
    honorCipherOrder: false,
    ...(curves.length > 0 && { ecdhCurve: curves.join(':') }),
    secureOptions: tickets ? SSL_OP_NO_RENEGOTIATION : SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET,
    sessionTimeout: SESSION_S,
    sessionIdContext: sessionIdContext(material, listener),
    ticketKeys: Buffer.from(ticketKeys, 'base64'),
    ...(clientAuth === undefined ? {} : { ca: clientAuth.ca, ...(clientAuth.crl && { crl: clientAuth.crl }) }),
  };
}

/** A list without suites of TLS 1.3 would turn that version off. */
function cipherList(ciphers: readonly string[]): string {
  if (ciphers.length === 0) return [...TLS13_SUITES, ...TLS12_SUITES].join(':');
  const names13 = ciphers.some((name) => name.startsWith('TLS_')) ? [] : TLS13_SUITES;
  return [...names13, ...ciphers].join(':');
}

/** A session is resumed only where the same was asked of its client. */
function sessionIdContext(material: TlsMaterial, listener: string): string {
  const { clientAuth, strictSni, minVersion, ciphers, curves } = material;
  const asked = JSON.stringify([listener, clientAuth, strictSni, minVersion, ciphers, curves]);
  return createHash('sha256').update(asked).digest('hex').slice(0, 32);
}
