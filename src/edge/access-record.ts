import type { AccessRecord } from '../model/access.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Endpoint } from './endpoint.ts';

/** What an exchange knows of itself at its end; instants in the clock's ms, 0 = not reached. */
export interface ExchangeFacts {
  service: string | undefined;
  endpoint: Endpoint | undefined;
  requestId: string;
  startedAt: number;
  releasedAt: number;
  connectedAt: number;
  firstByteAt: number;
  now: number;
  status: number;
  bytesIn: number;
  bytesOut: number;
  headOut: number;
  retries: number;
  cold: boolean;
  ending: AccessRecord['ending'];
}

/** The access log's record of an exchange that has just ended. `wall` is now, ms since the epoch. */
export function accessRecord(client: ClientConnection, facts: ExchangeFacts, wall: number): AccessRecord {
  const { request } = client;
  const { startedAt, releasedAt, connectedAt, firstByteAt, now, endpoint } = facts;
  const left = releasedAt === 0 ? startedAt : releasedAt;
  return {
    at: wall - (now - startedAt),
    client: client.clientAddress(),
    clientPort: client.remotePort,
    listener: client.localAddress,
    service: facts.service,
    endpoint: endpoint?.address,
    method: request.method,
    target: request.target,
    version: request.old ? '1.0' : '1.1',
    host: request.hostValue,
    referer: request.head.get('referer'),
    userAgent: request.head.get('user-agent'),
    requestId: facts.requestId,
    status: facts.status,
    bytesIn: facts.bytesIn,
    bytesOut: facts.bytesOut,
    // A head that was not written any more when the client left is none of the bytes.
    headOut: Math.min(facts.headOut, facts.bytesOut),
    queueMs: connectedAt === 0 && releasedAt === 0 ? -1 : left - startedAt,
    connectMs: connectedAt === 0 ? -1 : Math.max(0, connectedAt - left),
    firstByteMs: firstByteAt === 0 ? -1 : firstByteAt - connectedAt,
    totalMs: now - startedAt,
    retries: facts.retries,
    cold: facts.cold,
    ending: facts.ending,
  };
}

/** The record of bytes that made no request: nothing of what they may have meant is told. `wall` is now, ms since the epoch. */
export function unreadableRecord(
  client: ClientConnection,
  facts: Pick<AccessRecord, 'requestId' | 'status' | 'bytesOut' | 'headOut'>,
  wall: number,
): AccessRecord {
  return {
    at: wall,
    client: client.peer,
    clientPort: client.remotePort,
    listener: client.localAddress,
    service: undefined,
    endpoint: undefined,
    method: '',
    target: '',
    version: '1.1',
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

/** Bytes of a whole answer of our own up to its body. */
export function headLength(message: string): number {
  return message.indexOf('\r\n\r\n') + 4;
}
