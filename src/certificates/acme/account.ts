import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { SingleFlight } from '../../util/single-flight.ts';
import type { Answer, Authority, Directory } from './authority.ts';
import { AuthorityError, nonsense } from './authority-error.ts';
import { externalBinding, thumbprint } from './jws.ts';

/** How accounts are made. */
export interface AccountSettings {
  /** Where the authority writes to; undefined: it cannot. */
  email: string | undefined;
  /** The account that the operator has with the authority already. Secret. */
  binding: { kid: string; hmac: string } | undefined;
}

/** Where an account is kept. */
export interface AccountFile {
  /** Undefined: nothing is there. */
  read(): Promise<string | undefined>;
  write(text: string): Promise<void>;
}

/** What is kept of an account. */
interface Kept {
  /** PEM. */
  key: string;
  /** Its address; undefined: the authority does not know it yet. */
  url: string | undefined;
  email: string | undefined;
}

/** An account with an authority, kept in a file: made when it is first needed, and again where the authority forgot it. */
export class Account {
  readonly #file: AccountFile;
  readonly #authority: Authority;
  readonly #settings: AccountSettings;
  readonly #opening = new SingleFlight<'open', { key: KeyObject; kid: string }>();
  #open: { key: KeyObject; kid: string } | undefined;

  constructor(file: AccountFile, authority: Authority, settings: AccountSettings) {
    this.#file = file;
    this.#authority = authority;
    this.#settings = settings;
  }

  /** What stands behind the token in a proof (RFC 8555 §8.1). */
  async thumbprint(directory: Directory, signal: AbortSignal): Promise<string> {
    return thumbprint((await this.#ready(directory, signal)).key);
  }

  /** Sends a request in the account's name: see `Authority.post`. */
  async post(directory: Directory, url: string, payload: object | undefined, signal: AbortSignal): Promise<Answer> {
    const account = await this.#ready(directory, signal);
    try {
      return await this.#authority.post(url, account, payload, signal);
    } catch (error) {
      if (!(error instanceof AuthorityError) || error.problem !== 'accountDoesNotExist') throw error;
    }
    if (this.#open === account) this.#open = undefined;
    return this.#authority.post(url, await this.#ready(directory, signal, true), payload, signal);
  }

  /** @param isForgotten the authority does not know the address that is kept */
  async #ready(directory: Directory, signal: AbortSignal, isForgotten = false) {
    this.#open ??= await this.#opening.run('open', () => this.#find(directory, signal, isForgotten));
    return this.#open;
  }

  async #find(directory: Directory, signal: AbortSignal, isForgotten: boolean) {
    const { email } = this.#settings;
    const kept = await this.#read();
    const key = kept === undefined ? freshKey() : createPrivateKey(kept.key);
    let kid = isForgotten ? undefined : kept?.url;
    if (kid === undefined) {
      await this.#write(key, undefined);
      kid = await this.#register(directory, key, signal);
    } else if (kept?.email !== email) {
      await this.#authority.post(kid, { key, kid }, { contact: contactOf(email) }, signal);
    } else {
      return { key, kid };
    }
    await this.#write(key, kid);
    return { key, kid };
  }

  async #register({ newAccount, needsBinding }: Directory, key: KeyObject, signal: AbortSignal): Promise<string> {
    const { email, binding } = this.#settings;
    if (needsBinding && binding === undefined) {
      throw new AuthorityError('ACME_REFUSED', 'the authority wants an account that it knows: name it as eab');
    }
    const payload = {
      termsOfServiceAgreed: true,
      contact: contactOf(email),
      ...(binding === undefined ? {} : { externalAccountBinding: externalBinding(key, newAccount, binding) }),
    };
    const { headers } = await this.#authority.post(newAccount, { key, kid: undefined }, payload, signal);
    const { location } = headers;
    if (location === undefined) throw nonsense('an account without its address');
    return location;
  }

  async #read(): Promise<Kept | undefined> {
    const text = await this.#file.read();
    try {
      const kept = JSON.parse(text ?? '') as Kept;
      createPrivateKey(kept.key);
      return kept;
    } catch {
      // None is there, or none that can be used: another account is made.
      return undefined;
    }
  }

  async #write(key: KeyObject, url: string | undefined): Promise<void> {
    const { email } = this.#settings;
    const pem = key.export({ type: 'pkcs8', format: 'pem' }) as string;
    const kept: Kept = { key: pem, url, email };
    await this.#file.write(`${JSON.stringify(kept, null, 2)}\n`);
  }
}

function freshKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
}

function contactOf(email: string | undefined): string[] {
  return email === undefined ? [] : [`mailto:${email}`];
}
