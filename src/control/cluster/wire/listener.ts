import type { AddressInfo, Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { PilotlightError } from '../../../model/errors.ts';
import type { Logger } from '../../../model/observe.ts';
import type { HostPort } from '../../../model/settings.ts';
import type { Clock, Timer } from '../../../util/clock.ts';
import { listenError } from '../../../util/listening.ts';
import { Throttle } from '../../../util/throttle.ts';
import { type Frame, Kind, unpack } from './frame.ts';
import { type Hello, readHello, refusalOf, type Self } from './hello.ts';
import { Peer } from './peer.ts';
import { handshakeError, serverTls } from './secret.ts';

/** Connections that have not presented themselves yet, at most, and how long they have for it, ms. */
const MAX_STRANGERS = 64;
const HELLO_MS = 5000;
/** Connections of members, at most. */
const MAX_MEMBERS = 4096;

/** A connection that has not presented itself as a member's. */
interface Stranger {
  socket: Socket;
  /** Ends it where that takes too long. */
  timer: Timer;
}

/** A member whose connection was taken: what comes of it, and its end. */
export interface Guest {
  onFrame(frame: Frame): void;
  onClose(): void;
}

export interface ListenerOptions {
  clock: Clock;
  logger: Logger;
  key: Buffer;
  leaseMs: number;
  self: () => Self;
  /** Takes a member into service. */
  welcome: (hello: Hello, peer: Peer) => Guest;
}

/** Listens for the other members of the cluster, and lets nobody else in. */
export class WireListener {
  readonly #options: ListenerOptions;
  readonly #server: Server;
  /** By where they came from. */
  readonly #strangers = new Map<string, Stranger>();
  readonly #members = new Set<Peer>();
  readonly #refusals = new Throttle();

  constructor(options: ListenerOptions) {
    this.#options = options;
    const { cluster } = options.self();
    const tls = serverTls(cluster, options.key);
    this.#server = createServer({ ...tls, handshakeTimeout: HELLO_MS }, (socket) => this.#onSecure(socket));
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      this.#note(handshakeError(socket.remoteAddress ?? 'a peer', error));
      socket.destroy();
    });
  }

  /** @throws ADDRESS_IN_USE, ADDRESS_FORBIDDEN */
  async listen({ host, port }: HostPort): Promise<HostPort> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      const refuse = (cause: NodeJS.ErrnoException) =>
        reject(listenError(cause.code, { host, port }, cause, 'cluster'));
      server.once('error', refuse);
      server.listen({ host, port }, () => {
        server.off('error', refuse);
        server.on('error', ({ message: cause }) =>
          this.#options.logger.error({ cause }, 'cluster: no member is heard'),
        );
        resolve();
      });
    });
    return { host, port: (this.#server.address() as AddressInfo).port };
  }

  /** Ends the connections of all members. */
  dismiss(): void {
    for (const peer of [...this.#members]) peer.close();
  }

  async close(): Promise<void> {
    this.dismiss();
    for (const { socket } of this.#strangers.values()) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #onConnection(socket: Socket): void {
    if (this.#strangers.size >= MAX_STRANGERS || this.#members.size >= MAX_MEMBERS) {
      socket.destroy();
      this.#note(new PilotlightError('CLUSTER_LINK_FAILED', 'more connections than members: some are turned away'));
      return;
    }
    socket.setNoDelay(true);
    const origin = originOf(socket);
    const timer = this.#options.clock.after(HELLO_MS, () => socket.destroy());
    this.#strangers.set(origin, { socket, timer });
    socket.once('close', () => this.#meet(origin));
  }

  /** It is no stranger any more, or it is gone. */
  #meet(origin: string): void {
    this.#strangers.get(origin)?.timer.cancel();
    this.#strangers.delete(origin);
  }

  #onSecure(socket: TLSSocket): void {
    const { clock, leaseMs, self } = this.#options;
    const origin = originOf(socket);
    const index = self().leading ?? 0;
    let guest: Guest | undefined;
    const peer = new Peer(socket, {
      clock,
      leaseMs,
      index,
      onFrame: (frame) => {
        if (guest === undefined) guest = this.#admit(peer, frame, origin);
        else if (frame.kind !== Kind.ALIVE) {
          if (frame.index !== index) throw new PilotlightError('CLUSTER_PROTOCOL', `a frame of lock ${frame.index}`);
          guest.onFrame(frame);
        }
      },
      onClose: (cause) => {
        this.#members.delete(peer);
        if (cause !== undefined) this.#note(cause, guest === undefined ? origin : undefined);
        guest?.onClose();
      },
    });
  }

  /** @throws CLUSTER_PROTOCOL */
  #admit(peer: Peer, frame: Frame, origin: string): Guest | undefined {
    const self = this.#options.self();
    if (frame.kind !== Kind.HELLO) {
      throw new PilotlightError('CLUSTER_PROTOCOL', 'a connection that does not begin as those of members');
    }
    const hello = readHello(unpack(frame));
    const refusal = refusalOf(hello, frame.index, self);
    if (refusal !== undefined) {
      peer.send(Kind.REFUSED, 0, { code: refusal.code, message: refusal.message });
      // Who leads is known a moment sooner here or there: that is no trouble.
      if (refusal.code !== 'CLUSTER_UNLED') this.#note(refusal);
      peer.close();
      return undefined;
    }
    this.#meet(origin);
    this.#members.add(peer);
    peer.send(Kind.WELCOME, 0, { build: self.build, member: self.member });
    return this.#options.welcome(hello, peer);
  }

  /** Once a minute of each kind: who is turned away comes again. */
  #note(error: PilotlightError, from?: string): void {
    const count = this.#refusals.note(error.code, this.#options.clock.now());
    if (count === 0) return;
    const { code } = error;
    this.#options.logger.warn({ code, count, ...(from === undefined ? {} : { from }) }, `cluster: ${error.message}`);
  }
}

function originOf({
  remoteAddress,
  remotePort,
}: {
  remoteAddress?: string | undefined;
  remotePort?: number | undefined;
}) {
  return `${remoteAddress} ${remotePort}`;
}
