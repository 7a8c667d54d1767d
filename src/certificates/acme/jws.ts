import { createHash, createHmac, createPublicKey, type KeyObject, sign } from 'node:crypto';

/** The public half of an account's key on P-256 (RFC 7517), its members in the order that thumbprints want. */
interface PublicJwk {
  crv: string;
  kty: string;
  x: string;
  y: string;
}

/** A signed message in the one form that ACME takes (RFC 8555 §6.2). */
export interface Jws {
  protected: string;
  payload: string;
  signature: string;
}

export function base64url(data: Buffer | string): string {
  return Buffer.from(data as string).toString('base64url');
}

export function publicJwk(key: KeyObject): PublicJwk {
  const { crv = '', kty = '', x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  return { crv, kty, x, y };
}

/** What tells a key from others (RFC 7638). */
export function thumbprint(key: KeyObject): string {
  return createHash('sha256')
    .update(JSON.stringify(publicJwk(key)))
    .digest('base64url');
}

/**
 * Signs a message with an account's key (ES256).
 * @param kid address of the account; undefined: the key itself goes along, for there is none yet
 * @param payload undefined: empty, which asks for what is at the address (RFC 8555 §6.3)
 */
export function signJws(
  key: KeyObject,
  { url, nonce, kid }: { url: string; nonce: string; kid: string | undefined },
  payload: object | undefined,
): Jws {
  const header = { alg: 'ES256', nonce, url, ...(kid === undefined ? { jwk: publicJwk(key) } : { kid }) };
  return jws(header, payload, (input) => sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }));
}

/**
 * Binds an account to one that the operator has with the authority already (RFC 8555 §7.3.4).
 * @param hmac base64url, as the authority gave it
 */
export function externalBinding(key: KeyObject, url: string, { kid, hmac }: { kid: string; hmac: string }): Jws {
  const secret = Buffer.from(hmac, 'base64url');
  return jws({ alg: 'HS256', kid, url }, publicJwk(key), (input) =>
    createHmac('sha256', secret).update(input).digest(),
  );
}

function jws(header: object, payload: object | undefined, signature: (input: string) => Buffer): Jws {
  const head = base64url(JSON.stringify(header));
  const body = payload === undefined ? '' : base64url(JSON.stringify(payload));
  return { protected: head, payload: body, signature: base64url(signature(`${head}.${body}`)) };
}
