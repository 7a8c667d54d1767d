import type { Socket } from 'node:net';
import { refusals } from '../../../model/refusals.ts';
import { unreadableRecord } from '../../answer/access-record.ts';
import { Fault } from '../../http1/faults.ts';
import type { ClientPeer } from '../client-peer.ts';
import type { ClientContext } from '../context.ts';
import type { ListenerContext } from '../listener-context.ts';

/** How a request of HTTP/1 or the preface of HTTP/2 begins. */
const METHOD = /^[A-Z]{3,20}(?: |$)/;

/**
 * Tells a client that speaks HTTP in clear text on a port of TLS what it does wrong, and closes.
 * @returns false: it speaks something else, and nothing was said
 */
export function answerPlain(
  socket: Socket,
  first: Buffer,
  peer: ClientPeer,
  context: ClientContext,
  listener: ListenerContext,
): boolean {
  if (!METHOD.test(first.toString('latin1', 0, 24).split('\r\n', 1)[0] ?? '')) return false;
  const { status } = refusals.TLS_REQUIRED;
  const { requestId, size } = listener.connectionLimit.answer(socket, 'TLS_REQUIRED');
  const sent = {
    version: '1.1',
    requestId,
    status,
    bytesOut: size,
    headOut: size,
    refusal: 'TLS_REQUIRED',
    reason: Fault.HTTP_ON_TLS,
  } as const;
  context.access?.write(unreadableRecord(peer, sent, context.clock.wall()));
  return true;
}
