import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../../util/file-errors.ts';
import { type CertificateReading, readCertificate } from '../read-certificate.ts';
import type { Issued } from './issuer.ts';
import type { Failure } from './phase.ts';

/** Longest host whose file bears its name: names of files end at 255 bytes. */
const LONGEST_NAME = 200;

/** The certificates of one authority in the state directory, a file each; only this user can read them. */
export class CertificateStore {
  readonly #folder: string;

  /** @param state the folder for all authorities @param directory address of the authority's directory */
  constructor(state: string, directory: string) {
    this.#folder = join(state, folderOf(directory));
  }

  /** Where what is kept of the account lies. @param binding of the account that it is bound to */
  accountFile(binding: string | undefined): string {
    const suffix = binding === undefined ? '' : `-${shortHash(binding)}`;
    return join(this.#folder, `account${suffix}.json`);
  }

  /** Where a host's certificate and its key lie. */
  fileOf(host: string): string {
    return this.#file(host, 'pem');
  }

  /** The certificate of a host with its key, or why there is none that can be used; undefined: none was ever issued. */
  async read(host: string): Promise<CertificateReading | undefined> {
    const file = this.fileOf(host);
    const reading = await readCertificate({ cert: file, key: undefined });
    if ('fault' in reading && reading.fault === `${file}: no such file`) return undefined;
    return reading;
  }

  /** Replaces a host's certificate: whole or not at all. @throws the system's error */
  async write(host: string, { chain, key }: Issued): Promise<void> {
    await this.#make();
    await writeWhole(this.fileOf(host), `${key.trim()}\n${chain.trim()}\n`);
  }

  /** What an order for a host failed by before; undefined: nothing, or nobody knows. */
  async readFailure(host: string): Promise<Failure | undefined> {
    try {
      const { failures, since, until, why } = JSON.parse(await readFile(this.#file(host, 'json'), 'utf8'));
      const isSound = [failures, since, until].every(Number.isFinite) && typeof why === 'string';
      return isSound ? { failures, since, until, why } : undefined;
    } catch {
      return undefined;
    }
  }

  /** @param failure undefined: the last order succeeded @throws the system's error */
  async writeFailure(host: string, failure: Failure | undefined): Promise<void> {
    const file = this.#file(host, 'json');
    if (failure === undefined) return rm(file, { force: true });
    await this.#make();
    await writeWhole(file, `${JSON.stringify(failure)}\n`);
  }

  async #make(): Promise<void> {
    await mkdir(join(this.#folder, 'certificates'), { recursive: true, mode: 0o700 });
  }

  #file(host: string, ending: string): string {
    const name = host.length <= LONGEST_NAME ? host : createHash('sha256').update(host).digest('hex');
    return join(this.#folder, 'certificates', `${name}.${ending}`);
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
