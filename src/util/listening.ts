import type { Server } from 'node:net';
import { PilotlightError } from '../model/errors.ts';
import type { HostPort } from '../model/settings.ts';
import { hostPort } from './host-port.ts';

/**
 * Sockets that are bound already, by `listenKey`: raw handles of Node's, or what else `Server.listen` takes. An address
 * may have several (SO_REUSEPORT).
 */
export type BoundSockets = ReadonlyMap<string, readonly object[]>;

/** The descriptor of a listening server's socket, which Node tells nowhere else. */
export function descriptorOf(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

/** Under which a listening address is known: as it is configured, so that port 0 is the same one after a reload. */
export function listenKey({ host, port }: HostPort): string {
  return `${host} ${port}`;
}

/**
 * Why an address cannot be listened on: ADDRESS_IN_USE, ADDRESS_FORBIDDEN, INTERNAL.
 * @param code the system's, such as EADDRINUSE
 * @param what the address is, where it says more than a listener's
 */
export function listenError(
  code: string | undefined,
  address: HostPort,
  cause?: unknown,
  what?: string,
): PilotlightError {
  const where = what === undefined ? hostPort(address) : `${what} ${hostPort(address)}`;
  switch (code) {
    case 'EADDRINUSE':
      return new PilotlightError('ADDRESS_IN_USE', `cannot listen on ${where}: the address is in use`, cause);
    case 'EACCES':
      return new PilotlightError('ADDRESS_FORBIDDEN', `cannot listen on ${where}: permission denied`, cause);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new PilotlightError(
        'ADDRESS_FORBIDDEN',
        `cannot listen on ${where}: not an address of this machine`,
        cause,
      );
    default:
      return new PilotlightError('INTERNAL', `cannot listen on ${where}: ${code ?? 'unknown reason'}`, cause);
  }
}
