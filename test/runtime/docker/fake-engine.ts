import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';

export interface EngineRequest {
  /** Method and path, without the query: `GET /containers/json`. */
  route: string;
  query: URLSearchParams;
  body: unknown;
}

/** What to answer; a number is a status without a body, a function does it itself, and so may not answer at all. */
export type EngineAnswer = number | [status: number, body: unknown] | ((response: ServerResponse) => void);

/** Answers a request; undefined is a 404 in the engine's manner. */
export type EngineHandler = (request: EngineRequest) => EngineAnswer | undefined;

/** A server on a unix socket that speaks like the Engine API, as far as a handler tells it to. */
export class FakeEngine {
  readonly requests: EngineRequest[] = [];
  readonly socket: string;
  readonly #folder: string;
  readonly #server = createServer((request, response) => this.#serve(request, response));
  readonly #connections = new Set<Socket>();
  readonly #streams = new Set<ServerResponse>();
  #handler: EngineHandler = () => undefined;

  private constructor(folder: string) {
    this.#folder = folder;
    this.socket = join(folder, 'docker.sock');
    this.#server.on('connection', (connection) => {
      this.#connections.add(connection);
      connection.on('close', () => this.#connections.delete(connection));
    });
  }

  static async listen(handler?: EngineHandler): Promise<FakeEngine> {
    const engine = new FakeEngine(await mkdtemp(join(tmpdir(), 'pilotlight-engine-')));
    if (handler !== undefined) engine.answer(handler);
    await engine.start();
    return engine;
  }

  answer(handler: EngineHandler): void {
    this.#handler = handler;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(this.socket, resolve));
  }

  /** As a daemon that goes away: every connection breaks, the socket is no more. */
  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#connections) connection.destroy();
    await closed;
  }

  async remove(): Promise<void> {
    if (this.#server.listening) await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** Writes to every open stream of events. */
  write(bytes: string | Buffer): void {
    for (const stream of this.#streams) stream.write(bytes);
  }

  /** Breaks every open stream of events. */
  dropStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  get streams(): number {
    return this.#streams.size;
  }

  /** How often a route was asked. */
  count(route: string): number {
    return this.requests.filter((request) => request.route === route).length;
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '', 'http://engine');
    const hasBody = Number(incoming.headers['content-length'] ?? 0) > 0;
    const body = hasBody ? await json(incoming) : undefined;
    const request = { route: `${incoming.method} ${url.pathname}`, query: url.searchParams, body };
    this.requests.push(request);
    const answer = this.#handler(request) ?? this.#usual(request.route);
    if (typeof answer === 'function') return answer(response);
    const [status, content] = typeof answer === 'number' ? [answer, undefined] : answer;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(content === undefined ? undefined : JSON.stringify(content));
  }

  #usual(route: string): EngineAnswer {
    if (route !== 'GET /events') return [404, { message: 'page not found' }];
    return (response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.flushHeaders();
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
    };
  }
}
