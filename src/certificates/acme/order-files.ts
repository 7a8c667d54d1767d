import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { SharedSecrets } from '../../model/shared-secrets.ts';
import { writeWhole } from '../../util/file-errors.ts';

/** Where accounts, certificates and orders are kept, by paths such as `AUTHORITY/account.json`. All throw the system's errors. */
export interface OrderFiles {
  /** Where a file is, for people. */
  place(path: string): string;
  /** Undefined: there is none. */
  read(path: string): Promise<string | undefined>;
  /** Replaces it whole, or not at all. */
  write(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** All that there are. */
  list(): Promise<string[]>;
}

/** In the state directory; only this user can read them. */
export class LocalFiles implements OrderFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  place(path: string): string {
    return join(this.#folder, path);
  }

  async read(path: string): Promise<string | undefined> {
    try {
      return await readFile(this.place(path), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async write(path: string, text: string): Promise<void> {
    const file = this.place(path);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeWhole(file, text);
  }

  async remove(path: string): Promise<void> {
    await rm(this.place(path), { force: true });
  }

  async list(): Promise<string[]> {
    const entries = await readdir(this.#folder, { recursive: true, withFileTypes: true }).catch(() => []);
    const files = entries.filter((entry) => entry.isFile());
    return files.map(({ parentPath, name }) => join(parentPath, name).slice(this.#folder.length + 1));
  }
}

/** Before the name of what is shared. */
const ROOM = 'acme/';
/** What is taken of other processes: nothing that leads elsewhere, and no part of a file. */
const PATH = /^[a-z0-9][a-z0-9.-]*(?:\/certificates)?\/[a-z0-9][a-z0-9.-]*\.(?:json|pem|order)$/;

/** The same at all members of a cluster, with copies in the state directory of each. */
export class SharedOrderFiles implements OrderFiles {
  readonly #local: LocalFiles;
  readonly #secrets: SharedSecrets;

  constructor(folder: string, secrets: SharedSecrets) {
    this.#local = new LocalFiles(folder);
    this.#secrets = secrets;
  }

  place(path: string): string {
    return this.#local.place(path);
  }

  async read(path: string): Promise<string | undefined> {
    return this.#secrets.get(ROOM + path) ?? this.#local.read(path);
  }

  /** @throws CLUSTER_RIGHT_LOST and others of `SharedSecrets.set` */
  async write(path: string, text: string): Promise<void> {
    await this.#local.write(path, text);
    await this.#secrets.set(ROOM + path, text);
  }

  async remove(path: string): Promise<void> {
    await this.#local.remove(path);
    if (this.#secrets.get(ROOM + path) !== undefined) await this.#secrets.set(ROOM + path, undefined);
  }

  list(): Promise<string[]> {
    return this.#local.list();
  }

  /** Which of these names of shared secrets are of what is kept here. */
  pathsOf(names: readonly string[]): string[] {
    const paths = names.filter((name) => name.startsWith(ROOM)).map((name) => name.slice(ROOM.length));
    return paths.filter((path) => PATH.test(path));
  }

  /** Makes the copies of these as they are shared. */
  async copy(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      const text = this.#secrets.get(ROOM + path);
      if (text === undefined) await this.#local.remove(path);
      else if ((await this.#local.read(path)) !== text) await this.#local.write(path, text);
    }
  }

  /**
   * Shares what only this member has: it was one of no cluster before, or the others have lost it. Where the others have a
   * certificate, what this member knows of an order for it is of the time before it was away.
   */
  async shareOwn(): Promise<void> {
    const shared: Promise<void>[] = [];
    const known = new Set(this.pathsOf(this.#secrets.names));
    for (const path of await this.#local.list()) {
      if (!PATH.test(path) || known.has(path)) continue;
      if (known.has(certificateOf(path))) {
        await this.#local.remove(path);
        continue;
      }
      const text = await this.#local.read(path);
      if (text !== undefined) shared.push(this.#secrets.set(ROOM + path, text));
    }
    await Promise.all(shared);
  }
}

/** The certificate that an order, or what it failed by, is for. */
function certificateOf(path: string): string {
  return path.replace(/\.(?:json|order)$/, '.pem');
}
