import type { RequestHead } from '../http1/request.ts';

const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);
const IDEMPOTENT_METHODS = new Set(['PUT', 'DELETE']);

/**
 * Whether a request may be sent a second time after bytes of it went upstream (RFC 9110 §9.2.2).
 * @param idempotent the service says that its idempotent methods, and keys of idempotency, are what they say
 */
export function mayReplay({ method, head }: RequestHead, idempotent: boolean): boolean {
  if (SAFE_METHODS.has(method)) return true;
  if (!idempotent) return false;
  return IDEMPOTENT_METHODS.has(method) || head.get('idempotency-key') !== undefined;
}
