import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** What a sealed value begins with: the way it was sealed in. */
const VERSION = 'pilotlight-1';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A value as it was before it was sealed, or why nobody can tell. */
export type Opened = { text: string } | { fault: 'secret' | 'version' };

/**
 * Seals what members share, by a key from the cluster's secret (HKDF-SHA-256, AES-256-GCM): `pilotlight-1:` and, in
 * base64url, nonce, ciphertext and tag. A value is bound to cluster and name: put elsewhere it cannot be opened.
 */
export class Seal {
  readonly #key: Buffer;
  readonly #cluster: string;

  constructor(secret: string, cluster: string) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, cluster, 'pilotlight cluster sealed values', 32));
    this.#cluster = cluster;
  }

  seal(name: string, text: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(this.#bound(name));
    const sealed = Buffer.concat([nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()]);
    return `${VERSION}:${sealed.toString('base64url')}`;
  }

  open(name: string, value: string): Opened {
    const [version, content = ''] = value.split(':');
    if (version !== VERSION) return { fault: 'version' };
    const sealed = Buffer.from(content, 'base64url');
    if (sealed.length < NONCE_BYTES + TAG_BYTES) return { fault: 'secret' };
    const end = sealed.length - TAG_BYTES;
    const options = { authTagLength: TAG_BYTES };
    const decipher = createDecipheriv('aes-256-gcm', this.#key, sealed.subarray(0, NONCE_BYTES), options);
    decipher.setAAD(this.#bound(name)).setAuthTag(sealed.subarray(end));
    try {
      return { text: Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, end)), decipher.final()]).toString() };
    } catch {
      return { fault: 'secret' };
    }
  }

  /** What a value is bound to. No name of a cluster has a blank. */
  #bound(name: string): Buffer {
    return Buffer.from(`${VERSION} ${this.#cluster} ${name}`);
  }
}
