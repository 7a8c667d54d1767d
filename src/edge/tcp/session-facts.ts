import type { SessionRecord } from '../../model/access.ts';
import type { RefusalCode } from '../../model/refusals.ts';
import { ruleOf } from '../../model/refusals.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { SessionPeer } from './context.ts';

/** What a session knows about itself. Instants are the clock's ms, 0 = not reached. */
export class SessionFacts {
  readonly startedAt: number;
  /** When it began to wait for a start or a slot. */
  heldAt = 0;
  /** When that wait ended. */
  releasedAt = 0;
  connectedAt = 0;
  /** When the service first spoke. */
  firstByteAt = 0;
  /** When a byte last passed, either way. */
  lastByteAt = 0;
  /** Bytes from the client, and to it. */
  bytesIn = 0;
  bytesOut = 0;
  /** The name that its ClientHello asks for. */
  serverName: string | undefined;
  /** It waits or waited for a start. */
  cold = false;
  retries = 0;
  ending: SessionRecord['ending'] = 'complete';
  refusal: RefusalCode | undefined;
  /** What it broke, in words of ours. */
  fault: string | undefined;
  /** The last endpoint that it went to. */
  endpoint: Endpoint | undefined;

  constructor(startedAt: number) {
    this.startedAt = startedAt;
  }
}

/**
 * Makes the access log's record of a session that has just ended.
 * @param id its id
 * @param now the clock's ms
 * @param wall the same, ms since the epoch
 */
export function sessionRecord(
  peer: SessionPeer,
  facts: SessionFacts,
  service: string | undefined,
  id: string,
  now: number,
  wall: number,
): SessionRecord {
  const { startedAt, heldAt, releasedAt, connectedAt, firstByteAt, refusal } = facts;
  const left = releasedAt === 0 ? (heldAt === 0 ? startedAt : now) : releasedAt;
  return {
    at: wall - (now - startedAt),
    id,
    client: peer.address,
    clientPort: peer.port,
    listener: peer.localAddress,
    service,
    serverName: facts.serverName,
    endpoint: facts.endpoint?.address,
    bytesIn: facts.bytesIn,
    bytesOut: facts.bytesOut,
    heldMs: heldAt === 0 ? 0 : left - heldAt,
    connectMs: connectedAt === 0 ? -1 : Math.max(0, connectedAt - left),
    firstByteMs: firstByteAt === 0 ? -1 : firstByteAt - connectedAt,
    totalMs: now - startedAt,
    retries: facts.retries,
    cold: facts.cold,
    ending: facts.ending,
    refusal,
    reason: facts.fault ?? (refusal && ruleOf(refusal)),
  };
}
