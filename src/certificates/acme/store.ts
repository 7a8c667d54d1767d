import { createHash } from 'node:crypto';
import { type CertificateReading, judgeCertificate } from '../read-certificate.ts';
import type { AccountFile } from './account.ts';
import type { Issued, Order } from './issuer.ts';
import type { OrderFiles } from './order-files.ts';
import type { Failure } from './phase.ts';

/** Longest host whose file bears its name: names of files end at 255 bytes. */
const LONGEST_NAME = 200;

/** An order that was begun, with the key that its certificate is for: who takes over goes on with it. Secret. */
export interface Begun {
  order: Order;
  /** PEM. */
  key: string;
  /** Fingerprint of the certificate that was in use then; absent: there was none. */
  replaces?: string | undefined;
}

/** The certificates of one authority, where `files` keeps them. */
export class CertificateStore {
  readonly #files: OrderFiles;
  readonly #folder: string;

  /** @param directory address of the authority's directory */
  constructor(files: OrderFiles, directory: string) {
    this.#files = files;
    this.#folder = folderOf(directory);
  }

  /** What is kept of the account. @param binding of the account that it is bound to */
  account(binding: string | undefined): AccountFile {
    const suffix = binding === undefined ? '' : `-${shortHash(binding)}`;
    const path = `${this.#folder}/account${suffix}.json`;
    return { read: () => this.#files.read(path), write: (text) => this.#files.write(path, text) };
  }

  /** Where a host's certificate and its key lie. */
  fileOf(host: string): string {
    return this.#files.place(this.#path(host, 'pem'));
  }

  /** The files of a host's, by which it is told what has changed. */
  pathsOf(host: string): string[] {
    return ['pem', 'json', 'order'].map((ending) => this.#path(host, ending));
  }

  /** The certificate of a host with its key, or why there is none that can be used; undefined: none was ever issued. */
  async read(host: string): Promise<CertificateReading | undefined> {
    const file = this.fileOf(host);
    try {
      const text = await this.#files.read(this.#path(host, 'pem'));
      return text === undefined ? undefined : judgeCertificate(text, undefined, { cert: file, key: undefined });
    } catch (error) {
      return { fault: `${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})` };
    }
  }

  /** Replaces a host's certificate: whole or not at all. @throws what `OrderFiles.write` throws */
  async write(host: string, { chain, key }: Issued): Promise<void> {
    await this.#files.write(this.#path(host, 'pem'), `${key.trim()}\n${chain.trim()}\n`);
  }

  /** What an order for a host failed by before; undefined: nothing, or nobody knows. */
  async readFailure(host: string): Promise<Failure | undefined> {
    const { failures, since, until, why } = await this.#json(this.#path(host, 'json'));
    const isSound = [failures, since, until].every(Number.isFinite) && typeof why === 'string';
    return isSound ? ({ failures, since, until, why } as Failure) : undefined;
  }

  /** @param failure undefined: the last order succeeded @throws what `OrderFiles` throws */
  async writeFailure(host: string, failure: Failure | undefined): Promise<void> {
    const path = this.#path(host, 'json');
    if (failure === undefined) await this.#files.remove(path);
    else await this.#files.write(path, `${JSON.stringify(failure)}\n`);
  }

  /** The order for a host that was begun and has not ended. */
  async readOrder(host: string): Promise<Begun | undefined> {
    const { order, key, replaces } = (await this.#json(this.#path(host, 'order'))) as Partial<Begun>;
    const isSound = typeof order?.url === 'string' && typeof order.finalize === 'string' && typeof key === 'string';
    return isSound && Array.isArray(order.authorizations) ? { order, key, replaces } : undefined;
  }

  /** @param begun undefined: it has ended @throws what `OrderFiles` throws */
  async writeOrder(host: string, begun: Begun | undefined): Promise<void> {
    const path = this.#path(host, 'order');
    if (begun === undefined) await this.#files.remove(path);
    else await this.#files.write(path, `${JSON.stringify(begun)}\n`);
  }

  /** What cannot be read is as if it were not there. */
  async #json(path: string): Promise<Record<string, unknown>> {
    try {
      const content = JSON.parse((await this.#files.read(path)) ?? '');
      return typeof content === 'object' && content !== null ? content : {};
    } catch {
      return {};
    }
  }

  #path(host: string, ending: string): string {
    const name = host.length <= LONGEST_NAME ? host : createHash('sha256').update(host).digest('hex');
    return `${this.#folder}/certificates/${name}.${ending}`;
  }
}

/** One that a person knows, and that no other authority has. */
function folderOf(directory: string): string {
  const host = URL.parse(directory)?.hostname.replace(/[^a-z0-9.-]/g, '') ?? '';
  return `${host.slice(0, LONGEST_NAME)}-${shortHash(directory)}`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8);
}
