import type { AccessRecord } from '../../model/access.ts';
import { type RefusalCode, ruleOf } from '../../model/refusals.ts';
import type { FaultText } from '../http1/faults.ts';
import type { RequestHead } from '../http1/request.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { RequestTrace } from './request-trace.ts';

/** Whom a record names as the client. */
interface RecordedPeer {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly tls: AccessRecord['tls'];
  clientOf(request: RequestHead): string;
}

/** What a record tells of a request as it came. */
interface Recorded {
  readonly request: RequestHead;
  readonly version: AccessRecord['version'];
  readonly peer: RecordedPeer;
  /** Bytes that were sent, in all and of heads. */
  readonly answer: { readonly bytes: number; readonly headBytes: number };
}

/**
 * What an exchange knows about itself. Instants are the clock's ms, 0 = not reached. The next exchange uses it again.
 */
export class ExchangeFacts {
  startedAt = 0;
  /** When it began to wait for a start or a slot. */
  heldAt = 0;
  /** When the wait ended before it was dispatched. */
  releasedAt = 0;
  connectedAt = 0;
  firstByteAt = 0;
  /** Status of the answer; 0 = none yet. */
  status = 0;
  /** Bytes of the request's body. */
  bytesIn = 0;
  /** It waits or waited for a start, and not just for a slot. */
  cold = false;
  ending: AccessRecord['ending'] = 'complete';
  /** The proxy's own answer; undefined: none. */
  refusal: RefusalCode | undefined;
  /** The rule that the request or the answer breaks. */
  fault: FaultText | undefined;
  /** The last endpoint that it went to. */
  endpoint: Endpoint | undefined;
  /** By what the answer was compressed; undefined: it was sent as it came. */
  encoding: AccessRecord['encoding'];
  /** Undefined where no traces are wanted. */
  trace: RequestTrace | undefined;
  // Known at the end.
  service: string | undefined;
  retries = 0;

  begin(now: number): void {
    this.startedAt = now;
    this.heldAt = 0;
    this.releasedAt = 0;
    this.connectedAt = 0;
    this.firstByteAt = 0;
    this.status = 0;
    this.bytesIn = 0;
    this.cold = false;
    this.ending = 'complete';
    this.refusal = undefined;
    this.fault = undefined;
    this.endpoint = undefined;
    this.encoding = undefined;
    this.trace = undefined;
  }
}

/**
 * Makes the access log's record of an exchange that has just ended.
 * @param requestId its id
 * @param now the clock's ms
 * @param wall the same, ms since the epoch
 */
export function accessRecord(
  client: Recorded,
  facts: ExchangeFacts,
  requestId: string,
  now: number,
  wall: number,
): AccessRecord {
  const { request, peer, answer } = client;
  const { startedAt, releasedAt, connectedAt, firstByteAt, endpoint } = facts;
  const left = releasedAt === 0 ? startedAt : releasedAt;
  return {
    at: wall - (now - startedAt),
    client: peer.clientOf(request),
    clientPort: peer.port,
    listener: peer.localAddress,
    service: facts.service,
    endpoint: endpoint?.address,
    method: request.method,
    target: request.target,
    version: client.version,
    host: request.hostValue,
    referer: request.head.get('referer'),
    userAgent: request.head.get('user-agent'),
    requestId,
    status: facts.status,
    bytesIn: facts.bytesIn,
    bytesOut: answer.bytes,
    // A head that was not written because the client had left does not count.
    headOut: Math.min(answer.headBytes, answer.bytes),
    queueMs: connectedAt === 0 && releasedAt === 0 ? -1 : left - startedAt,
    connectMs: connectedAt === 0 ? -1 : Math.max(0, connectedAt - left),
    firstByteMs: firstByteAt === 0 ? -1 : firstByteAt - connectedAt,
    totalMs: now - startedAt,
    retries: facts.retries,
    cold: facts.cold,
    ending: facts.ending,
    encoding: facts.encoding,
    tls: peer.tls,
    refusal: facts.refusal,
    reason: facts.fault ?? (facts.refusal && ruleOf(facts.refusal)),
  };
}

/** Makes the record of bytes that make no request, whatever they may have meant. `wall` is now, ms since the epoch. */
export function unreadableRecord(
  peer: RecordedPeer,
  facts: Pick<AccessRecord, 'version' | 'requestId' | 'status' | 'bytesOut' | 'headOut' | 'refusal' | 'reason'>,
  wall: number,
): AccessRecord {
  return {
    at: wall,
    client: peer.address,
    clientPort: peer.port,
    listener: peer.localAddress,
    service: undefined,
    endpoint: undefined,
    method: '',
    target: '',
    host: '',
    referer: undefined,
    userAgent: undefined,
    ...facts,
    bytesIn: 0,
    queueMs: -1,
    connectMs: -1,
    firstByteMs: -1,
    totalMs: 0,
    retries: 0,
    cold: false,
    ending: 'refused',
  };
}
