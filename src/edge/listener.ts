import { createServer, type Server } from 'node:net';
import { PilotlightError } from '../model/errors.ts';
import type { HostPort, ListenSettings } from '../model/settings.ts';
import { ClientConnection, type ListenerContext } from './client-connection.ts';
import type { EdgeContext } from './context.ts';

const LIMITS = { headBytes: 32 * 1024, fields: 100, targetBytes: 8 * 1024 };
const BACKLOG = 4096;
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

  constructor(context: EdgeContext) {
    this.#context = context;
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
      this.#applyTimeouts(listener.context, settings[index] as ListenSettings);
    for (const listener of this.#listeners) if (!next.includes(listener)) listener.server.close();
    this.#listeners = next;
    return next.map((listener) => listener.address);
  }

  drainConnections(): void {
    for (const connection of [...this.#connections]) connection.drain();
  }

  destroyConnections(): void {
    for (const connection of [...this.#connections]) connection.destroy(false);
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

  #applyTimeouts(context: ListenerContext, settings: ListenSettings): void {
    context.headMs = settings.timeouts.headMs;
    context.bodyMs = settings.timeouts.bodyMs;
    context.keepAliveMs = settings.timeouts.keepAliveMs;
  }

  #open(key: string, settings: ListenSettings): Promise<Listener> {
    const { host, port } = settings.address;
    const context: ListenerContext = { ...settings.timeouts, limits: LIMITS, connections: this.#connections };
    const server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true }, (socket) => {
      new ClientConnection(socket, this.#context, context);
    });
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
