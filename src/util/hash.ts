import { createHash } from 'node:crypto';

/**
 * Hash of a `run` section: 12 hex digits, the same for the same content whatever the order of its keys. Absent and
 * undefined values are the same. A replica carries it, so that one of an older configuration is told apart;
 * it is without the name of the runtime, as replicas that older versions started have theirs.
 */
export function runHash(run: object): string {
  return canonicalHash({ ...run, runtime: undefined });
}

/** Hash of a value, 12 hex digits, the same whatever the order of its keys. */
export function canonicalHash(value: object): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 12);
}

/** JSON with the keys of every object sorted and undefined ones left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== 'object' || inner === null || Array.isArray(inner)) return inner;
    const entries = Object.entries(inner).filter(([, item]) => item !== undefined);
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
