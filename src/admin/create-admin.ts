import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Logger } from '../model/observe.ts';
import type { AdminSettings, HostPort } from '../model/settings.ts';
import { type Clock, systemClock } from '../util/clock.ts';
import { descriptorOf, listenError } from '../util/listening.ts';
import { type AccessCheck, createAccessCheck, unauthorized } from './access.ts';
import { Dashboard } from './dashboard.ts';
import { EventStreams } from './event-stream.ts';
import { LiveStreams } from './live-stream.ts';
import { type Problem, problemOf, sendProblem } from './problem.ts';
import { type AskedParts, createRoutes, findHandler } from './routes.ts';
import { WrongTokens } from './wrong-tokens.ts';

interface AdminOptions extends AskedParts {
  settings: AdminSettings;
  logger: Logger;
  clock?: Clock;
}

/** The HTTP API for operators, on an address of its own. */
interface Admin {
  /**
   * Opens the address; resolves with the real port.
   * @param bound a socket that is bound to it already
   * @throws ADDRESS_IN_USE, ADDRESS_FORBIDDEN
   */
  listen(bound?: object): Promise<HostPort>;
  /** Descriptor of the listening socket, for another process to inherit. */
  readonly socket: number;
  /** Ends event streams, lets answers under way finish and closes; resolves at once when it never listened. */
  close(): Promise<void>;
}

/** Longest wait for the control plane, ms; also the longest that `close` waits. */
const ANSWER_MS = 10_000;
/** From the first byte to the whole request, ms. */
const REQUEST_MS = 10_000;
const KEEP_ALIVE_MS = 5_000;
/** How long a client may take nothing of an answer, ms; event streams say something more often. */
const SILENCE_MS = 30_000;
/** How long a client that was refused may leave its side open, ms: it counts as a connection until then. */
const LINGER_MS = 1_000;
const MAX_HEAD_BYTES = 16 * 1024;
/** A body is a few members at most, or means nothing: more is refused. Bytes. */
const MAX_BODY_BYTES = 16 * 1024;
const MAX_CONNECTIONS = 256;

const tooSlow: Problem = { status: 503, title: 'The control plane does not answer', code: 'TIMEOUT' };
const bodyTooLarge: Problem = {
  status: 413,
  title: 'Content too large',
  code: 'BODY_TOO_LARGE',
  headers: { Connection: 'close' },
};

/** Builds the admin API; nothing is opened before `listen`. */
export function createAdmin({ settings, logger, clock = systemClock, ...asked }: AdminOptions): Admin {
  const { api } = asked;
  const events = new EventStreams(api, clock);
  const live = new LiveStreams(api, clock, logger);
  const wrongTokens = new WrongTokens(logger);
  const dashboard = new Dashboard();
  const routes = createRoutes({ ...asked, events, live, dashboard, clock });
  let checkAccess: AccessCheck | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = pathOf(request);
    const refusal = checkAccess?.(request, path);
    if (refusal === unauthorized && path === '/' && request.method !== 'POST') return dashboard.page(response, refusal);
    if (refusal !== undefined) return refuse(request, response, refusal);
    const found = findHandler(routes, request, path);
    if (!('handler' in found)) return refuse(request, response, found);
    const body = await readBody(request);
    if (body === undefined) return refuse(request, response, bodyTooLarge);
    const timer = clock.after(ANSWER_MS, () => sendProblem(response, tooSlow));
    try {
      await found.handler(response, found.name, queryOf(request), body);
    } finally {
      timer.cancel();
    }
  };

  const server = createServer(
    {
      maxHeaderSize: MAX_HEAD_BYTES,
      headersTimeout: REQUEST_MS,
      requestTimeout: REQUEST_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1000,
      // The check of Host has an answer of its own for a request without one.
      requireHostHeader: false,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        // A handler that comes back after its time is up fails on an answer already sent: nothing is left to do.
        if (response.headersSent) return;
        const problem = problemOf(error);
        if (problem.status >= 500) logger.error({ err: error, path: request.url }, 'an admin request failed');
        sendProblem(response, problem);
      });
    },
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = SILENCE_MS;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => refuseBroken(error, socket, clock));

  return {
    get socket() {
      return descriptorOf(server);
    },
    async listen(socket) {
      const bound = await open(server, settings.address, socket);
      server.on('error', (error) => logger.warn({ err: error }, 'the admin address cannot accept a connection'));
      checkAccess = createAccessCheck(settings, bound, (address) => wrongTokens.note(address));
      return bound;
    },
    async close() {
      wrongTokens.close();
      if (!server.listening) return;
      // A connection that is busy now is not kept once it is idle.
      server.keepAliveTimeout = 1;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      events.close();
      live.close();
      const force = clock.after(ANSWER_MS, () => server.closeAllConnections());
      await closed;
      force.cancel();
    },
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] ?? '';
}

function queryOf(request: IncomingMessage): URLSearchParams {
  const { url = '' } = request;
  const at = url.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : url.slice(at + 1));
}

/** The rest of a refused request is not waited for: the connection goes with it. */
function refuse(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  sendProblem(response, hasBody ? { ...problem, headers: { ...problem.headers, Connection: 'close' } } : problem);
}

/** The body; undefined as soon as it is over the limit or breaks off. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES) return undefined;
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      pieces.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      if (size > MAX_BODY_BYTES) return undefined;
    }
    return Buffer.concat(pieces).toString();
  } catch {
    return undefined;
  }
}

/** Answers what is not HTTP, too large or too slow, and closes, whatever the client does. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Socket, clock: Clock): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const line =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  const linger = clock.after(LINGER_MS, () => socket.destroy());
  socket.once('close', () => linger.cancel());
  socket.end(`HTTP/1.1 ${line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function open(server: Server, address: HostPort, socket?: object): Promise<HostPort> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(listenError(error.code, address, error, 'the admin address'));
    });
    server.listen(socket ?? { ...address }, () => {
      server.removeAllListeners('error');
      resolve({ host: address.host, port: (server.address() as AddressInfo).port });
    });
  });
}
