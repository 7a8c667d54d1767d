import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { BasicAuthSettings } from '../../model/route-rules.ts';
import { type PasswordHash, parsePasswordHash } from '../../util/password-hash.ts';
import type { Head } from '../http1/head.ts';
import type { PasswordVerifier, PasswordWaiter } from './password-verifier.ts';

/** A longer Authorization value is not looked at, characters. */
const MAX_VALUE = 2048;
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

interface Account {
  hash: PasswordHash;
  /** Digest of the last credentials that were right. There is one per account, so the table cannot grow. */
  verified: Buffer | undefined;
}

/** User and password of one request. */
interface Credentials {
  user: string;
  password: Buffer;
  digest: Buffer;
}

/**
 * Checks the user names and passwords of one route (RFC 7617). A user's first request waits for the hash of its
 * password; later ones are recognised by a digest.
 */
export class BasicAuth {
  /** Field lines of the 401. */
  readonly challenge: string;
  /** Whether the service sees the Authorization field. */
  readonly forward: boolean;
  readonly #accounts = new Map<string, Account>();
  /** Hash that is checked for a user that does not exist, so that it takes as long. */
  readonly #decoy: PasswordHash;
  readonly #verifier: PasswordVerifier;
  /** Key of the digests, so that they mean nothing outside of this object. */
  readonly #secret = randomBytes(32);

  /** @param settings validated before */
  constructor(settings: BasicAuthSettings, verifier: PasswordVerifier) {
    this.challenge = `WWW-Authenticate: Basic realm="${settings.realm}", charset="UTF-8"\r\n`;
    this.forward = settings.forward;
    this.#verifier = verifier;
    for (const { name, hash } of settings.users) {
      this.#accounts.set(name, { hash: parsePasswordHash(hash) as PasswordHash, verified: undefined });
    }
    const [first] = this.#accounts.values();
    this.#decoy = (first as Account).hash;
  }

  /** Decides whether to let a request in. `waiting`: the waiter is told later. `busy`: too many are waiting already. */
  check(head: Head, waiter: PasswordWaiter): 'granted' | 'denied' | 'waiting' | 'busy' {
    const given = this.#credentials(head);
    if (given === undefined) return 'denied';
    const account = this.#accounts.get(given.user);
    if (isVerified(account, given)) return 'granted';
    const { hash } = account ?? { hash: this.#decoy };
    const conclude = (right: boolean): boolean => {
      if (!right || account === undefined) return false;
      account.verified = given.digest;
      return true;
    };
    const key = given.digest.toString('hex');
    return this.#verifier.verify(key, hash, given.password, waiter, conclude) ? 'waiting' : 'busy';
  }

  /** The waiter is gone. */
  forget(waiter: PasswordWaiter): void {
    this.#verifier.forget(waiter);
  }

  /** Whether the credentials are right and have been checked before. */
  isKnown(head: Head): boolean {
    const given = this.#credentials(head);
    return given !== undefined && isVerified(this.#accounts.get(given.user), given);
  }

  #credentials(head: Head): Credentials | undefined {
    const value = onlyValue(head, 'authorization');
    if (value === undefined || value.length > MAX_VALUE) return undefined;
    const match = BASIC.exec(value);
    if (match === null) return undefined;
    const bytes = Buffer.from(match[1] as string, 'base64');
    const colon = bytes.indexOf(58);
    if (colon < 0) return undefined;
    const user = bytes.toString('utf8', 0, colon);
    return { user, password: bytes.subarray(colon + 1), digest: this.#digest(bytes) };
  }

  /** Makes the digest that is remembered instead of the credentials. */
  #digest(credentials: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(credentials).digest();
  }
}

/**
 * Returns the value of a field (lower-case name) if it occurs once. Of two, the service might believe the other one.
 */
function onlyValue(head: Head, name: string): string | undefined {
  let value: string | undefined;
  for (let index = 0; index < head.count; index++) {
    const field = head.name(index);
    if (field.length !== name.length || field.toLowerCase() !== name) continue;
    if (value !== undefined) return undefined;
    value = head.value(index);
  }
  return value;
}

function isVerified(account: Account | undefined, { digest }: Credentials): boolean {
  return account?.verified !== undefined && timingSafeEqual(account.verified, digest);
}
