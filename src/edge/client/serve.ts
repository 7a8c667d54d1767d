import type { Socket } from 'node:net';
import { ClientPeer } from './client-peer.ts';
import type { ClientContext } from './context.ts';
import { Http1Connection } from './http1-connection.ts';
import { ClientSession } from './http2/client-session.ts';
import type { ListenerContext } from './listener-context.ts';

/** Protocols by their names in ALPN (RFC 7301 §6). */
export type Protocol = 'http/1.1' | 'h2';

/**
 * Serves a connection. One of HTTP/1.1 may have a PROXY header before it, and in clear text it may begin with HTTP/2
 * where the listener lets it.
 * @param protocol what the client agreed to
 * @param known the other end, where that is known and counted already
 */
export function serve(
  socket: Socket,
  protocol: Protocol,
  context: ClientContext,
  listener: ListenerContext,
  known?: ClientPeer,
): void {
  if (protocol === 'http/1.1') {
    new Http1Connection(socket, context, listener, known);
    return;
  }
  if (known !== undefined) {
    new ClientSession(socket, known, context, listener);
    return;
  }
  const peer = new ClientPeer(socket, context, listener);
  peer.meet();
  const isTooMany = peer.enter();
  const session = new ClientSession(socket, peer, context, listener);
  if (isTooMany) session.refuse();
}
