import { Agent, createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { type Duplex, duplexPair } from 'node:stream';
import type HttpProxy from 'http-proxy';

/** Most sockets to one upstream. */
const MAX_SOCKETS = 256;
const MAX_HEAD_BYTES = 64 * 1024;

interface Target {
  url: string;
  /** The edge's end of the connection. */
  edge: Duplex;
}

/**
 * The compatibility engine: requests go upstream through the http-proxy package instead of our own sockets. The edge's
 * codec stays in front of it, in both directions: it talks HTTP/1.1 over an in-memory connection to a server whose only
 * handler is the package. So whatever is refused natively is refused here as well, and of the package's defects
 * (1.18.1) these are mended around it:
 * - a client that leaves cancels the upstream request (the package listens for an event that Node no longer sends);
 * - an upstream that dies within a body breaks the answer off (the package leaves the client waiting);
 * - hop-by-hop fields never reach it, nor do they come back through it; upstream connections are kept alive.
 *
 * Not to be mended: upgrades to anything but WebSocket are closed, trailers and interim responses other than 100 and
 * 101 are dropped, and fields are written anew by Node.
 */
export class HttpProxyEngine {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });
  readonly #proxy: HttpProxy;
  readonly #server: Server;
  readonly #targets = new WeakMap<object, Target>();

  constructor() {
    // Loaded only where a service asks for it.
    const load = createRequire(import.meta.url);
    this.#proxy = (load('http-proxy') as typeof HttpProxy).createProxyServer({ agent: this.#agent, xfwd: false });
    this.#proxy.on('proxyReq', (outgoing, request, response) => {
      response.once('close', () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      request.once('error', () => outgoing.destroy());
    });
    this.#proxy.on('proxyRes', (incoming, _request, response) => {
      incoming.once('close', () => {
        if (!incoming.complete) response.destroy();
      });
    });
    this.#server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
    });
    this.#server.timeout = 0;
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    // A 100 is the upstream's to send: the request goes on with its Expect, and the answer comes back.
    this.#server.on('checkContinue', (request, response) => {
      response.writeContinue();
      this.#onRequest(request, response);
    });
  }

  /** Opens a connection to an address through the package. It is connected at once; the upstream is met per request. */
  connect(host: string, port: number): Duplex {
    const [edge, inner] = duplexPair();
    // What the package asks of a socket when it opens a tunnel; an in-memory one has nothing to set.
    const nothing = () => inner;
    Object.assign(inner, { setTimeout: nothing, setNoDelay: nothing, setKeepAlive: nothing });
    this.#targets.set(inner, { url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`, edge });
    // Either end's loss is the other's.
    edge.once('close', () => inner.destroy());
    inner.once('close', () => edge.destroy());
    inner.on('error', () => {});
    this.#server.emit('connection', inner);
    queueMicrotask(() => edge.emit('connect'));
    return edge;
  }

  close(): void {
    this.#agent.destroy();
    this.#proxy.close();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const target = this.#targets.get(request.socket) as Target;
    this.#proxy.web(request, response, { target: target.url }, (error) => this.#fail(target, error));
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = this.#targets.get(socket) as Target;
    this.#proxy.ws(request, socket, head, { target: target.url }, (error) => this.#fail(target, error));
  }

  /** Lets the edge answer: it knows whether to try again and what the client may be told. */
  #fail(target: Target, error: Error): void {
    target.edge.destroy(error);
  }
}
