import { createServer, type Server, type Socket } from 'node:net';
import type { EdgeListener } from '../../model/certificates.ts';
import { PilotlightError } from '../../model/errors.ts';
import type { HostPort } from '../../model/settings.ts';
import { hostPort } from '../../util/host-port.ts';
import { type BoundSockets, descriptorOf, listenError, listenKey } from '../../util/listening.ts';
import { Members } from '../../util/members.ts';
import { plainAddress } from '../io/client-address.ts';
import { IdleConnections } from '../io/idle-connections.ts';
import { TcpSession } from '../tcp/session.ts';
import { TcpTargets } from '../tcp/targets.ts';
import { ClientCounts } from './client-counts.ts';
import { ClientPeer } from './client-peer.ts';
import { ConnectionLimit } from './connection-limit.ts';
import type { ClientContext } from './context.ts';
import type { ClientConnection, ListenerContext, TlsEnd } from './listener-context.ts';
import { serve } from './serve.ts';
import { Acceptors } from './tls/acceptors.ts';
import { TlsListener } from './tls/tls-listener.ts';

const BACKLOG = 4096;
/** Bytes that wait for a client before it counts as slow: beyond them it is one more piece of 64 KiB at most. */
const HIGH_WATER_MARK = 16 * 1024;
/** How long answers that are written already may take to leave at the end of a drain, ms. */
const SETTLE_MS = 1000;

interface Listener {
  key: string;
  servers: Server[];
  address: HostPort;
  context: ListenerContext;
}

/** The public listening sockets and the client connections behind them. */
export class Listeners {
  readonly #context: ClientContext;
  readonly #bind: ((address: HostPort) => Promise<{ sockets: readonly object[] }>) | undefined;
  #listeners: Listener[] = [];
  /** Shared by all listeners, so that a connection outlives the listener that accepted it. */
  readonly #connections = new Members<ClientConnection>();
  readonly #connectionLimit: ConnectionLimit;
  /** Sets of listeners are brought about one after the other: the last one is the one that stays. */
  #change: Promise<unknown> = Promise.resolve();

  /** @param bind see `EdgeOptions.bind` */
  constructor(context: ClientContext, bind?: (address: HostPort) => Promise<{ sockets: readonly object[] }>) {
    this.#context = context;
    this.#bind = bind;
    this.#connectionLimit = new ConnectionLimit(context);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  get sockets(): number[] {
    return this.#listeners.flatMap(({ servers }) => servers.map(descriptorOf));
  }

  /** See `Edge.listen`. */
  set(settings: readonly EdgeListener[], bound: BoundSockets = new Map()): Promise<HostPort[]> {
    const done = this.#change.then(() => this.#bringAbout(settings, bound));
    this.#change = done.catch(() => undefined);
    return done;
  }

  async #bringAbout(settings: readonly EdgeListener[], bound: BoundSockets): Promise<HostPort[]> {
    const next: Listener[] = [];
    const opened: Listener[] = [];
    const acceptors = settings.map(acceptorsFor);
    const secure = securePort(
      settings,
      settings.map(({ address }) => address),
    );
    try {
      for (const [index, each] of settings.entries()) {
        const key = listenKey(each.address);
        const kept = this.#listeners.find((listener) => listener.key === key);
        if (kept === undefined) {
          const sockets = bound.get(key) ?? (await this.#bind?.(each.address))?.sockets;
          const listener = await this.#open(key, each, acceptors[index], secure, sockets);
          opened.push(listener);
          next.push(listener);
        } else {
          next.push(kept);
        }
      }
    } catch (error) {
      for (const listener of opened) close(listener);
      throw error;
    }
    for (const [index, { context }] of next.entries()) {
      Object.assign(context, changeable(settings[index] as EdgeListener, secure));
      context.tls = this.#tlsEnd(context, acceptors[index]);
    }
    // What has a free port knows it now.
    const port = securePort(
      settings,
      next.map(({ context }) => context),
    );
    for (const [index, { context }] of next.entries()) {
      if (settings[index]?.redirectToHttps === true) context.httpsPort = port;
    }
    for (const listener of this.#listeners) if (!next.includes(listener)) close(listener);
    this.#listeners = next;
    return next.map((listener) => listener.address);
  }

  /** Handshakes go by the new acceptors, and the number of those under way is bounded all the same. */
  #tlsEnd(context: ListenerContext, acceptors: Acceptors | undefined): TlsEnd | undefined {
    if (acceptors === undefined) return undefined;
    if (context.tls instanceof TlsListener) context.tls.acceptors = acceptors;
    return context.tls ?? new TlsListener(this.#context, context, acceptors);
  }

  /** See `Edge.drain`. */
  drainConnections(handingOver: boolean): void {
    for (const connection of this.#connections.list()) connection.drain(handingOver);
  }

  destroyConnections(): void {
    for (const connection of this.#connections.list()) connection.abort();
    this.#connectionLimit.close();
  }

  /** Waits a moment for the last answers to be sent, then cuts what is left. */
  async settle(): Promise<void> {
    const { clock } = this.#context;
    const deadline = clock.now() + SETTLE_MS;
    while (this.#connections.size > 0 && clock.now() < deadline) {
      await new Promise<void>((resolve) => clock.after(10, resolve));
    }
    this.destroyConnections();
  }

  /**
   * Takes a connection in, or turns it away: with an answer where there are too many, without where nobody trusts it.
   */
  #accept(socket: Socket, listener: ListenerContext): void {
    if (listener.proxyProtocol && !this.#context.trusted.has(plainAddress(socket.remoteAddress ?? ''))) {
      socket.on('error', () => {});
      socket.destroy();
    } else if (this.#isFull(listener) && !this.#makeRoom(socket, listener)) {
      this.#turnAway(socket, listener);
    } else if (listener.targets !== undefined) {
      new TcpSession(socket, new ClientPeer(socket, this.#context, listener), this.#context, listener);
    } else if (listener.tls !== undefined) {
      listener.tls.accept(socket);
    } else {
      serve(socket, 'http/1.1', this.#context, listener);
    }
  }

  /** There is no room for it. What does not speak HTTP understands no answer of ours. */
  #turnAway(socket: Socket, { targets, tls }: ListenerContext): void {
    if (targets === undefined && tls === undefined) {
      this.#connectionLimit.answer(socket);
    } else {
      socket.on('error', () => {});
      socket.destroySoon();
    }
  }

  /** Closes the connection that has been idle for longest, unless it were for a client that has too many already. */
  #makeRoom(socket: Socket, { limits, clients, idle, proxyProtocol }: ListenerContext): boolean {
    const { connections, connectionsPerClient: most } = limits;
    if (most > 0 && !proxyProtocol) {
      const address = plainAddress(socket.remoteAddress ?? '');
      if (!this.#context.trusted.has(address) && clients.of(address) >= most) return false;
    }
    return idle.makeRoom(Math.min(connections, this.#context.room), this.#context.clock.now());
  }

  /** Whether it has as many connections as it may, or all have as many as there are file descriptors for. */
  #isFull({ open, limits }: ListenerContext): boolean {
    return open >= limits.connections || this.#connections.size >= this.#context.room;
  }

  async #open(
    key: string,
    settings: EdgeListener,
    acceptors: Acceptors | undefined,
    secure: number,
    sockets: readonly object[] = [],
  ): Promise<Listener> {
    const { address } = settings;
    const context: ListenerContext = {
      ...changeable(settings, secure),
      tls: undefined,
      port: address.port,
      open: 0,
      clients: new ClientCounts(),
      idle: new IdleConnections(),
      connectionLimit: this.#connectionLimit,
      connections: this.#connections,
    };
    // From its first connection on.
    context.tls = this.#tlsEnd(context, acceptors);
    const listener: Listener = { key, servers: [], context, address };
    const places = sockets.length > 0 ? sockets : [{ host: address.host, port: address.port }];
    try {
      for (const place of places) listener.servers.push(await this.#listen(place, address, context));
    } catch (error) {
      close(listener);
      throw error;
    }
    listener.address = { host: address.host, port: context.port };
    return listener;
  }

  #listen(place: object, { host, port }: HostPort, context: ListenerContext): Promise<Server> {
    // Options of the socket cost a system call each: the writer sets them where an answer takes more than one write.
    const options = { allowHalfOpen: true, highWaterMark: HIGH_WATER_MARK };
    const server = createServer(options, (socket) => this.#accept(socket, context));
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error.code, { host, port }, error)));
      server.once('listening', () => {
        server.removeAllListeners('error');
        const at = server.address();
        if (typeof at === 'object' && at !== null) context.port = at.port;
        server.on('error', (error: NodeJS.ErrnoException) =>
          this.#context.shortage.note(error.code ?? error.message, `a client of ${hostPort({ host, port })}`),
        );
        resolve(server);
      });
      // A handle takes its backlog beside it, an address within.
      if ('host' in place) server.listen({ ...place, backlog: BACKLOG });
      else server.listen(place, BACKLOG);
    });
  }
}

function close({ servers }: Listener): void {
  for (const server of servers) server.close();
}

/**
 * What a reload may change of a listener that stays; it holds for the connections that are open, too.
 * @param secure where redirects lead
 */
function changeable(settings: EdgeListener, secure: number) {
  const { name = '', timeouts, limits, proxyProtocol, http2, tls, tcp, redirectToHttps, acmeAnswers } = settings;
  const { head, fields, target } = limits;
  return {
    name,
    timeouts,
    limits,
    headLimits: { headBytes: head, fields, targetBytes: target },
    proxyProtocol,
    targets: tcp && new TcpTargets(tcp),
    priorKnowledge: http2 === true && tls === undefined,
    asksClients: [tls, ...(tls?.names ?? [])].some((each) => each?.clientAuth !== undefined),
    httpsPort: redirectToHttps === true ? secure : 0,
    acmeAnswers,
  };
}

/** @throws CERTIFICATE_UNUSABLE */
function acceptorsFor({ address, name, http2, tls }: EdgeListener): Acceptors | undefined {
  if (tls === undefined) return undefined;
  // By its name it is the same listener at every member of a cluster, wherever it listens there.
  const own = name === undefined ? listenKey(address) : `name ${name}`;
  try {
    return new Acceptors(tls, own, http2 === false ? ['http/1.1'] : ['h2', 'http/1.1']);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new PilotlightError('CERTIFICATE_UNUSABLE', `cannot end TLS on ${hostPort(address)}: ${why}`, error);
  }
}

/** The port that plain requests are sent to: the usual one if TLS is ended there, else the first one; 0: there is none. */
function securePort(settings: readonly EdgeListener[], at: readonly { port: number }[]): number {
  const ports = at.flatMap(({ port }, index) => (settings[index]?.tls === undefined ? [] : port));
  return ports.includes(443) ? 443 : (ports[0] ?? 0);
}
