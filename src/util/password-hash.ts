import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

/**
 * Passwords as scrypt hashes (RFC 7914) in the PHC string format: `$scrypt$ln=15,r=8,p=3$<salt>$<hash>`, Base64 without
 * padding. ln is the binary logarithm of the cost: 128 × r × 2^ln bytes of memory and p times that of work.
 */

/** A hash whose cost is neither a joke (1 MiB) nor an attack on ourselves (128 MiB). */
export const PASSWORD_HASH =
  /^\$scrypt\$ln=(1[0-7]),r=([1-8]),p=([1-9]|1[0-6])\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** 32 MiB, and a few tenths of a second of one core. */
const COST = { ln: 15, r: 8, p: 3 };
const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** Above what the largest cost that is accepted takes. */
const MAX_MEMORY = 192 * 2 ** 20;

/** A hash that was read. */
export interface PasswordHash {
  cost: { N: number; r: number; p: number };
  salt: Buffer;
  hash: Buffer;
}

/** A new hash of a password, with a salt of its own. */
export async function hashPassword(password: Buffer): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const { ln, r, p } = COST;
  const hash = await derive(password, salt, HASH_BYTES, { N: 2 ** ln, r, p });
  return `$scrypt$ln=${ln},r=${r},p=${p}$${unpadded(salt)}$${unpadded(hash)}`;
}

/** Reads what `hashPassword` wrote; undefined for any other text. */
export function parsePasswordHash(text: string): PasswordHash | undefined {
  const match = PASSWORD_HASH.exec(text);
  if (match === null) return undefined;
  const [, ln, r, p, salt, hash] = match as unknown as [string, string, string, string, string, string];
  return {
    cost: { N: 2 ** Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

/** Whether a password is the one of the hash. Runs in the thread pool, and compares in constant time. */
export async function isPasswordOf({ cost, salt, hash }: PasswordHash, password: Buffer): Promise<boolean> {
  return timingSafeEqual(await derive(password, salt, hash.length, cost), hash);
}

function derive(password: Buffer, salt: Buffer, length: number, cost: PasswordHash['cost']): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, { ...cost, maxmem: MAX_MEMORY }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
