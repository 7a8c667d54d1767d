import type { Trace } from './access-trail.ts';
import type { Kill } from './disturber.ts';
import type { Failure } from './ledger.ts';

/** How long after its death a replica may still be taken for alive, ms: until the first connection to it fails. */
const UNNOTICED_MS = 2000;

/**
 * Why a request failed, where that is not the proxy's fault: the replica that it went to was killed while it had the
 * request in hands. Undefined where nothing explains it.
 */
export function explain(failure: Failure, trace: Trace | undefined, kills: readonly Kill[]): string | undefined {
  if (trace === undefined) return undefined;
  const inItsHands = kills.some(
    ({ address, at }) => address === trace.endpoint && trace.at <= at + UNNOTICED_MS && failure.endedAt >= at,
  );
  return inItsHands ? 'in the hands of a killed replica' : undefined;
}
