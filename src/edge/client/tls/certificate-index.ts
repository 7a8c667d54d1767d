import { isIP } from 'node:net';
import type { Certificate } from '../../../model/certificates.ts';

/** Certificates of one name, each with a key of another kind: the client's abilities decide. */
export type CertificateSet = readonly Certificate[];

/** Finds the certificates for the name that a client asks for: exact, then wildcard, then the first of all. */
export class CertificateIndex {
  /** For clients that ask for no name that is known. */
  readonly standard: CertificateSet;
  readonly #sets = new Map<string, Certificate[]>();

  /** @param certificates none while they are being ordered; of those with keys of one kind, the first one of a name is used */
  constructor(certificates: readonly Certificate[]) {
    for (const certificate of certificates) {
      for (const name of certificate.names) this.#add(name, certificate);
    }
    const [first] = certificates;
    this.standard = first === undefined ? [] : (this.#sets.get(first.names[0] ?? '') ?? [first]);
  }

  #add(name: string, certificate: Certificate): void {
    const set = this.#sets.get(name);
    if (set === undefined) this.#sets.set(name, [certificate]);
    else if (!set.some(({ keyType }) => keyType === certificate.keyType)) set.push(certificate);
  }

  /** Returns the certificates for a host name; undefined: none is for it. A wildcard stands for one label. */
  of(host: string): CertificateSet | undefined {
    const name = host.toLowerCase();
    const exact = this.#sets.get(name);
    if (exact !== undefined || isIP(name) !== 0) return exact;
    const dot = name.indexOf('.');
    return dot < 0 ? undefined : this.#sets.get(`*${name.slice(dot)}`);
  }
}
