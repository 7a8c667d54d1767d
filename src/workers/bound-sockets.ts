import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { getSystemErrorName } from 'node:util';
import type { Logger } from '../model/observe.ts';
import type { HostPort } from '../model/settings.ts';
import { hostPort } from '../util/host-port.ts';
import { listenError, listenKey } from '../util/listening.ts';

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
type CreateHandle = (
  host: string | null,
  port: number,
  family: number,
  fd: number,
  flags: number,
) => BoundSocket | number;
const createHandle = (net as unknown as { _createServerHandle: CreateHandle })._createServerHandle;

/**
 * Sockets on each address for each process that accepts from it. Node takes one connection of a socket per turn of its
 * event loop, whatever waits there: with four, a connection for each request costs 15 % less.
 */
export const SOCKETS_PER_PROCESS = 4;

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
    throw listenError(error.code, { host, port }, error);
  });
  const bind = (at: number, flags: number): BoundSocket => {
    const handle = createHandle(address, at, family, -1, flags);
    // An address in use is told late: by whatever is asked of the socket first.
    const failure = typeof handle === 'number' ? handle : handle.getsockname({});
    if (typeof handle !== 'number' && failure === 0) return handle;
    if (typeof handle !== 'number') handle.close();
    throw listenError(getSystemErrorName(failure), { host, port });
  };
  // Bound alone first: two proxies that both share would not notice each other.
  const alone = bind(port, 0);
  const real = nameOf(alone).port;
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

/** The address that a socket is bound to. */
export function nameOf(socket: BoundSocket): { address: string; port: number } {
  const name: { address?: string; port?: number } = {};
  socket.getsockname(name);
  return { address: name.address ?? '', port: name.port ?? 0 };
}

/**
 * Takes over listening sockets that this process was started with.
 * @param descriptors what is none of TCP is left alone
 */
export function inheritSockets(descriptors: readonly number[]): BoundSocket[] {
  return descriptors.flatMap((fd) => {
    const handle = createHandle(null, 0, 0, fd, 0);
    const isTcp = typeof handle !== 'number' && typeof handle.getsockname === 'function';
    return isTcp && handle.getsockname({}) === 0 ? handle : [];
  });
}

/**
 * Gives each address the sockets that are bound to it. A configured port 0 takes what is left of its host, all of one
 * port.
 * @returns by `listenKey`, and those that no address is for
 */
export async function assignSockets(
  addresses: readonly HostPort[],
  sockets: readonly BoundSocket[],
): Promise<{ assigned: Map<string, BoundSocket[]>; left: BoundSocket[] }> {
  const assigned = new Map<string, BoundSocket[]>();
  let left = [...sockets];
  // Those that name their port choose first.
  for (const { host, port } of [...addresses].sort((a, b) => b.port - a.port)) {
    const found = await lookup(host).catch(() => undefined);
    const ofHost = left.filter((socket) => nameOf(socket).address === found?.address);
    const wanted = port === 0 ? ofHost[0] && nameOf(ofHost[0]).port : port;
    const own = ofHost.filter((socket) => nameOf(socket).port === wanted);
    if (own.length === 0) continue;
    assigned.set(listenKey({ host, port }), own);
    left = left.filter((socket) => !own.includes(socket));
  }
  return { assigned, left };
}

/**
 * Takes over the listening sockets that this process was started with; what no address is for is closed.
 * @returns by `listenKey`
 */
export async function takeSockets(
  addresses: readonly HostPort[],
  descriptors: readonly number[],
  logger: Logger,
): Promise<Map<string, BoundSocket[]>> {
  const { assigned, left } = await assignSockets(addresses, inheritSockets(descriptors));
  for (const socket of left) {
    const { address: host, port } = nameOf(socket);
    logger.warn({ host, port }, `inherited socket ${hostPort({ host, port })} is not configured: closed`);
    socket.close();
  }
  return assigned;
}
