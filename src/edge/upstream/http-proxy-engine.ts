import {
  Agent,
  createServer,
  type IncomingMessage,
  type InformationEvent,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createRequire } from 'node:module';
import { type Duplex, duplexPair } from 'node:stream';
import type HttpProxy from 'http-proxy';
import { hostPort } from '../../util/host-port.ts';
import { lookupToConnect } from '../io/loopback-names.ts';

/** Most sockets to one upstream. */
const MAX_SOCKETS = 256;
const MAX_HEAD_BYTES = 64 * 1024;
/** How the codes of errors of Node's parser begin. */
const UNREADABLE = 'HPE_';
const CONNECTION_FIELDS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding']);

interface Target {
  url: string;
  /** The edge's end of the connection, and the package's. */
  edge: Duplex;
  inner: Duplex;
}

/**
 * The compatibility engine: requests go upstream through the http-proxy package instead of our own sockets. The edge's
 * codec stays in front of it, in both directions: it talks HTTP/1.1 over an in-memory connection to a server whose only
 * handler is the package. So whatever is refused natively is refused here as well, and of the package's defects
 * (1.18.1) these are mended around it:
 * - a client that leaves cancels the upstream request (the package listens for an event that Node no longer sends);
 * - an upstream that dies within a body breaks the answer off (the package leaves the client waiting);
 * - an answer that Node would not write, such as one of status 99, fails its request (and not the process);
 * - repeated fields stay apart, trailers and interim responses come through;
 * - hop-by-hop fields never reach it, nor do they come back through it; upstream connections are kept alive.
 *
 * Not to be mended: upgrades to anything but WebSocket are closed, `Expect: 100-continue` is answered here, what Node's
 * lenient side of HTTP takes for an answer is one, and an answer whose upstream then closes on the body is lost (502).
 */
export class HttpProxyEngine {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, lookup: lookupToConnect });
  readonly #proxy: HttpProxy;
  readonly #server: Server;
  readonly #targets = new WeakMap<object, Target>();

  constructor() {
    // Loaded only where a service asks for it.
    const load = createRequire(import.meta.url);
    const { createProxyServer } = load('http-proxy') as typeof HttpProxy;
    this.#proxy = createProxyServer({ agent: this.#agent, xfwd: false, selfHandleResponse: true });
    this.#proxy.on('proxyReq', (outgoing, request, response) => {
      // The package would have it rewritten.
      outgoing.path = request.url ?? '/';
      response.once('close', () => {
        if (!response.writableFinished) outgoing.destroy();
      });
      request.once('error', () => outgoing.destroy());
      outgoing.on('information', (interim) => this.#onInterim(interim, response));
      // A 101 that nobody asked for: Node waits for somebody to take the connection.
      outgoing.once('upgrade', (_incoming, socket) => {
        socket.destroy();
        this.#fail(request, response, unreadable('unasked 101'));
      });
    });
    this.#proxy.on('proxyRes', (incoming, request, response) => this.#onResponse(incoming, request, response));
    this.#server = createServer({
      maxHeaderSize: MAX_HEAD_BYTES,
      requestTimeout: 0,
      headersTimeout: 0,
      keepAliveTimeout: 0,
    });
    this.#server.timeout = 0;
    this.#server.on('request', (request, response) => this.#onRequest(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
    // The package forgets to announce requests that expect a 100, and then nothing of them can be mended.
    this.#server.on('checkContinue', (request, response) => {
      response.writeContinue();
      delete request.headers.expect;
      this.#onRequest(request, response);
    });
  }

  /** Opens a connection to an address through the package. It is connected at once; the upstream is met per request. */
  connect(host: string, port: number): Duplex {
    const [edge, inner] = duplexPair();
    // What the package asks of a socket when it opens a tunnel; an in-memory one has nothing to set.
    const nothing = () => inner;
    Object.assign(inner, { setTimeout: nothing, setNoDelay: nothing, setKeepAlive: nothing });
    this.#targets.set(inner, { url: `http://${hostPort({ host, port })}`, edge, inner });
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
    this.#proxy.web(request, response, { target: target.url }, (error) => this.#fail(request, response, error));
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const target = this.#targets.get(socket) as Target;
    this.#proxy.ws(request, socket, head, { target: target.url }, (error) => target.edge.destroy(error));
  }

  /** Writes the answer in place of the package, which joins repeated fields and lets Node throw at what it will not write. */
  #onResponse(incoming: IncomingMessage, request: IncomingMessage, response: ServerResponse): void {
    incoming.once('close', () => {
      if (!incoming.complete) response.destroy();
    });
    try {
      response.writeHead(incoming.statusCode ?? 0, incoming.statusMessage, endToEnd(incoming.rawHeaders));
      // What breaks off behind the head must not look like what broke off before it, which may be asked again.
      response.flushHeaders();
    } catch (error) {
      incoming.destroy();
      this.#fail(request, response, unreadable(String(error)));
      return;
    }
    incoming.pipe(response, { end: false });
    incoming.once('end', () => {
      if (incoming.rawTrailers.length > 0) response.addTrailers(pairs(incoming.rawTrailers));
      response.end();
    });
  }

  #onInterim(interim: InformationEvent, response: ServerResponse): void {
    if (response.headersSent) return;
    const fields = pairs(endToEnd(interim.rawHeaders)).map(([name, value]) => `${name}: ${value}\r\n`);
    const head = `HTTP/1.1 ${interim.statusCode} ${interim.statusMessage}\r\n${fields.join('')}\r\n`;
    response.socket?.write(head, 'latin1');
  }

  /** Lets the edge answer: it knows whether to try again and what the client may be told. */
  #fail(request: IncomingMessage, response: ServerResponse, error: NodeJS.ErrnoException): void {
    const { edge, inner } = this.#targets.get(request.socket) as Target;
    const isUnreadable = error.code?.startsWith(UNREADABLE) === true && !response.headersSent;
    // An answer that cannot be read is no reason to ask again: the edge gets one that it cannot read either.
    if (isUnreadable) inner.end(`${UNREADABLE}\r\n\r\n`);
    else edge.destroy(error);
  }
}

/** An error like those of Node's parser. */
function unreadable(message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code: UNREADABLE });
}

/** Names and values in turn, as Node has them, without what concerns the connection to the upstream alone. */
function endToEnd(raw: readonly string[]): string[] {
  const fields = pairs(raw);
  const dropped = new Set(CONNECTION_FIELDS);
  for (const [name, value] of fields) {
    if (name.toLowerCase() !== 'connection') continue;
    for (const named of value.split(',')) dropped.add(named.trim().toLowerCase());
  }
  // It frames the answer, whoever names it.
  dropped.delete('content-length');
  return fields.filter(([name]) => !dropped.has(name.toLowerCase())).flat();
}

function pairs(raw: readonly string[]): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) found.push([raw[i] as string, raw[i + 1] as string]);
  return found;
}
