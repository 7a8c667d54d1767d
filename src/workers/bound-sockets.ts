import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { HostPort } from '../model/settings.ts';
import { listenError } from '../util/listening.ts';

/** A bound TCP socket that nothing in this process accepts from. */
export interface BoundSocket {
  readonly fd: number;
  close(): void;
  /** Writes the address into `out`. @returns 0 or a negative system error */
  getsockname(out: { address?: string; port?: number }): number;
}

/** libuv's UV_TCP_REUSEPORT. */
const REUSE_PORT = 2;

/**
 * Node's own way to bind without accepting, the one that its cluster module uses; a `net.Server` would take connections
 * that nobody in this process serves. @returns a negative system error where the address cannot be bound
 */
type CreateHandle = (host: string, port: number, family: number, fd: number, flags: number) => BoundSocket | number;
const createHandle = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle;

/**
 * Binds one address `count` times with SO_REUSEPORT, so that the kernel spreads connections over as many processes.
 * @returns the sockets, and the address with the real port
 * @throws ADDRESS_IN_USE, ADDRESS_FORBIDDEN
 */
export async function bindSockets(
  { host, port }: HostPort,
  count: number,
): Promise<{ sockets: BoundSocket[]; address: HostPort }> {
  const { address, family } = await lookup(host).catch((error: NodeJS.ErrnoException) => {
    throw listenError(error.code, host, port, error);
  });
  const bind = (at: number, flags: number): BoundSocket => {
    const handle = createHandle(address, at, family, -1, flags);
    // An address in use is told late: by whatever is asked of the socket first.
    const failure = typeof handle === 'number' ? handle : handle.getsockname({});
    if (typeof handle !== 'number' && failure === 0) return handle;
    if (typeof handle !== 'number') handle.close();
    throw listenError(getSystemErrorName(failure), host, port);
  };
  // Bound alone first: two proxies that both share would not notice each other.
  const alone = bind(port, 0);
  const real = portOf(alone);
  alone.close();
  const sockets: BoundSocket[] = [];
  try {
    while (sockets.length < count) sockets.push(bind(real, REUSE_PORT));
  } catch (error) {
    for (const socket of sockets) socket.close();
    throw error;
  }
  return { sockets, address: { host, port: real } };
}

function portOf(socket: BoundSocket): number {
  const name: { port?: number } = {};
  socket.getsockname(name);
  return name.port ?? 0;
}
