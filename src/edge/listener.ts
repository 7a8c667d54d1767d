import { createServer, type Server, type Socket } from 'node:net';
import { PilotlightError } from '../model/errors.ts';
import type { HostPort, ListenSettings } from '../model/settings.ts';
import { plainAddress } from './client-address.ts';
import { ClientConnection, type ListenerContext } from './client-connection.ts';
import { ClientCounts } from './client-counts.ts';
import type { EdgeContext } from './context.ts';
import { TurnedAway } from './turned-away.ts';

const BACKLOG = 4096;
/** Bytes that wait for a client before it counts as slow: beyond them it is one more piece of 64 KiB at most. */
const HIGH_WATER_MARK = 16 * 1024;
/** How long answers that are written already may take to leave at the end of a drain, ms. */
const SETTLE_MS = 1000;

interface Listener {
  key: string;
  server: Server;
  address: HostPort;
  context: ListenerContext;
}

/** The public listening sockets and the client connections behind them. */
export class Listeners {
  readonly #context: EdgeContext;
  #listeners: Listener[] = [];
  /** Shared by all listeners, so that a connection outlives the listener that accepted it. */
  readonly #connections = new Set<ClientConnection>();
  readonly #turnedAway: TurnedAway;

  constructor(context: EdgeContext) {
    this.#context = context;
    this.#turnedAway = new TurnedAway(context);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** See `Edge.listen`. */
  async set(settings: readonly ListenSettings[]): Promise<HostPort[]> {
    const next: Listener[] = [];
    const opened: Listener[] = [];
    try {
      for (const each of settings) {
        const key = `${each.address.host} ${each.address.port}`;
        const kept = this.#listeners.find((listener) => listener.key === key);
        if (kept === undefined) {
          const listener = await this.#open(key, each);
          opened.push(listener);
          next.push(listener);
        } else {
          next.push(kept);
        }
      }
    } catch (error) {
      for (const listener of opened) listener.server.close();
      throw error;
    }
    for (const [index, listener] of next.entries())
      Object.assign(listener.context, changeable(settings[index] as ListenSettings));
    for (const listener of this.#listeners) if (!next.includes(listener)) listener.server.close();
    this.#listeners = next;
    return next.map((listener) => listener.address);
  }

  drainConnections(): void {
    for (const connection of [...this.#connections]) connection.drain();
  }

  destroyConnections(): void {
    for (const connection of [...this.#connections]) connection.destroy(false);
    this.#turnedAway.close();
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

  /** Takes a connection in, or turns it away: with an answer where there are too many, without where nobody trusts it. */
  #accept(socket: Socket, listener: ListenerContext): void {
    if (listener.proxyProtocol && !this.#context.trusted.has(plainAddress(socket.remoteAddress ?? ''))) {
      socket.on('error', () => {});
      socket.destroy();
    } else if (listener.open >= listener.limits.connections) {
      this.#turnedAway.answer(socket);
    } else {
      new ClientConnection(socket, this.#context, listener);
    }
  }

  #open(key: string, settings: ListenSettings): Promise<Listener> {
    const { host, port } = settings.address;
    const context: ListenerContext = {
      ...changeable(settings),
      open: 0,
      clients: new ClientCounts(),
      connections: this.#connections,
    };
    const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, highWaterMark: HIGH_WATER_MARK };
    const server = createServer(options, (socket) => this.#accept(socket, context));
    return new Promise((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)));
      server.listen({ host, port, backlog: BACKLOG }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#context.logger.error({ error: error.message }, 'listener failed'));
        const bound = server.address();
        const boundPort = bound !== null && typeof bound === 'object' ? bound.port : port;
        resolve({ key, server, context, address: { host, port: boundPort } });
      });
    });
  }
}

/** What a reload may change of a listener that stays; it holds for the connections that are open, too. */
function changeable({ timeouts, limits, proxyProtocol }: ListenSettings) {
  const { head, fields, target } = limits;
  return { timeouts, limits, headLimits: { headBytes: head, fields, targetBytes: target }, proxyProtocol };
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): PilotlightError {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new PilotlightError('ADDRESS_IN_USE', `cannot listen on ${where}: the address is in use`, error);
    case 'EACCES':
      return new PilotlightError('ADDRESS_FORBIDDEN', `cannot listen on ${where}: permission denied`, error);
    case 'EADDRNOTAVAIL':
      return new PilotlightError(
        'ADDRESS_FORBIDDEN',
        `cannot listen on ${where}: not an address of this machine`,
        error,
      );
    default:
      return new PilotlightError('INTERNAL', `cannot listen on ${where}: ${error.message}`, error);
  }
}
