import { connect, isIP, type NetConnectOpts, type OnReadOpts, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls';
import { isSocketPath } from '../../util/host-port.ts';
import { isOwnWant } from '../../util/own-wants.ts';
import { lookupToConnect } from '../io/loopback-names.ts';
import type { UpstreamFailure } from './carrier.ts';
import { handshakeFault, isHandshakeError } from './handshake-faults.ts';
import type { Transport } from './transport.ts';

/** Where connections lead. */
export interface Address {
  /** An address, a name, or the path of a unix socket. */
  readonly host: string;
  readonly port: number;
  /** Name by which the configuration knows it, where `host` is what that was looked up as. */
  readonly serverName: string | undefined;
  /** Undefined: plain sockets. */
  readonly transport: Transport | undefined;
  /** Whether a connection to it ever came about. */
  wasReached: boolean;
  /** By which the next handshake is a short one; owned by the dialling. */
  tlsSession: Buffer | undefined;
}

/**
 * Opens a socket. It is connected when it emits `connect`, or `secureConnect` where TLS is spoken.
 * @param onread takes what is read in place of `data`; it is not asked where a PROXY header goes before TLS
 * @param preface sent before anything else
 */
export function dial(address: Address, onread?: OnReadOpts, preface?: Buffer): Socket {
  const tls = address.transport?.tls;
  if (tls === undefined) {
    const socket = connectTo(address, onread);
    if (preface !== undefined) socket.once('connect', () => socket.write(preface));
    return socket;
  }
  const { host, port } = address;
  const name = tls.serverName ?? address.serverName ?? host;
  const below = preface === undefined ? undefined : connectTo(address);
  if (below !== undefined) below.once('connect', () => below.write(preface as Buffer));
  const options: ConnectionOptions & { onread?: OnReadOpts; allowHalfOpen: boolean } = {
    ...(below === undefined ? { host, port, lookup: lookupToConnect, noDelay: true } : { socket: below }),
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(onread === undefined ? {} : { onread }),
    allowHalfOpen: true,
    secureContext: tls.context,
    rejectUnauthorized: tls.verify,
    // Node would go by the address that is dialled where the name is an address too.
    checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    ALPNProtocols: [...tls.protocols],
    session: address.tlsSession,
  };
  const socket = connectTls(options);
  socket.on('session', (session) => {
    // A short handshake proves no name again: what was agreed on by other rules than those of now is of no use.
    if (address.transport?.tls === tls) address.tlsSession = session;
  });
  return socket;
}

function connectTo({ host, port }: Address, onread?: OnReadOpts): Socket {
  const path = isSocketPath(host) ? host : undefined;
  const options = { path, host, port, lookup: lookupToConnect, noDelay: true, allowHalfOpen: true, onread };
  return connect(options as NetConnectOpts);
}

/** Why a socket did not come about. */
interface DialFault {
  failure: UpstreamFailure;
  /** For the operator, where there is more to say than what failed; else empty. */
  reason: string;
}

/** @param accepted the other end had taken the connection; what failed is the handshake */
export function dialFault(error: NodeJS.ErrnoException, accepted: boolean, address: Address): DialFault {
  const { code = '', syscall } = error;
  // For an address that was never reached this means that there is none of its kind here, such as ::1 without IPv6.
  const isElsewhere = code === 'EADDRNOTAVAIL' && !address.wasReached;
  if (syscall === 'connect' && isOwnWant(code) && !isElsewhere) return { failure: 'want', reason: '' };
  if (address.transport?.tls !== undefined && (accepted || isHandshakeError(code))) {
    return { failure: 'tls', reason: handshakeFault(error) };
  }
  if (code === 'ENOENT' && isSocketPath(address.host)) return { failure: 'refused', reason: 'there is no such socket' };
  return { failure: code === 'ETIMEDOUT' ? 'timeout' : 'refused', reason: '' };
}
