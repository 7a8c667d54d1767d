import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { BasicAuthSettings } from '../../model/settings.ts';
import { type PasswordHash, parsePasswordHash } from '../../util/password-hash.ts';
import type { Head } from '../http1/head.ts';
import type { PasswordVerifier, PasswordWaiter } from './password-verifier.ts';

/** Longest Authorization value that is looked at, characters. */
const MAX_VALUE = 2048;
const BASIC = /^basic +([A-Za-z0-9+/]+={0,2})$/i;

interface Account {
  hash: PasswordHash;
  /** Digest of the credentials that were right last: one per account, so that the table is as small as the file. */
  verified: Buffer | undefined;
}

/** User and password of one request. */
interface Credentials {
  user: string;
  password: Buffer;
  digest: Buffer;
}

/**
 * User names and passwords of one route (RFC 7617). The first request of a user waits for the hash of its password; the
 * following ones are recognised by a digest.
 */
export class BasicAuth {
  /** Field lines of the 401. */
  readonly challenge: string;
  /** Whether the service sees the Authorization field. */
  readonly forward: boolean;
  readonly #accounts = new Map<string, Account>();
  /** Checked in the place of a user that does not exist, so that it takes as long. */
  readonly #decoy: PasswordHash;
  readonly #verifier: PasswordVerifier;
  /** Digests mean nothing outside of this object. */
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

  /**
   * Whether a request is let in. `waiting`: the waiter is told later; `busy`: too many are waiting already.
   */
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

  /** Whether the credentials are right and were seen before. */
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

  /** What is remembered of credentials in their place. */
  #digest(credentials: Buffer): Buffer {
    return createHmac('sha256', this.#secret).update(credentials).digest();
  }
}

/** Value of the field of a name (lower case) that occurs once: of two, the service might believe the other one. */
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
