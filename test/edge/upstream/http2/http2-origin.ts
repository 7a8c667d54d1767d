import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from 'node:http2';
import { onTestFinished } from 'vitest';
import type { EndpointView, ServicePolicy } from '../../../../src/model/snapshot.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { until } from '../../wire.ts';

/** A request as an origin of HTTP/2 saw it. */
export interface Asked {
  stream: ServerHttp2Stream;
  headers: IncomingHttpHeaders;
  /** Names and values in turn, as they came. */
  raw: string[];
  body(): string;
  trailers: IncomingHttpHeaders;
  /** The edge has ended its side. */
  ended: boolean;
}

type Play = (asked: Asked) => void;

/** A server of HTTP/2 in clear text: each request is played by the script. */
export class Http2Origin {
  readonly sessions: ServerHttp2Session[] = [];
  readonly asked: Asked[] = [];
  readonly #server: Http2Server;
  play: Play;

  private constructor(server: Http2Server, play: Play) {
    this.#server = server;
    this.play = play;
    server.on('session', (session) => {
      this.sessions.push(session);
      session.on('error', () => {});
    });
    server.on('stream', (stream, headers, _flags, raw) => this.#onStream(stream, headers, raw as unknown as string[]));
  }

  static listen(play: Play = answer('hello'), options: ServerOptions = {}): Promise<Http2Origin> {
    const server = createServer(options);
    const origin = new Http2Origin(server, play);
    onTestFinished(() => origin.close());
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(origin)));
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  /** The `index`-th request, as soon as it is there. */
  async request(index = 0): Promise<Asked> {
    await until(() => this.asked.length > index, `request ${index} at the origin`);
    return this.asked[index] as Asked;
  }

  close(): void {
    this.#server.close();
    for (const session of this.sessions) session.destroy();
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: string[]): void {
    const pieces: Buffer[] = [];
    const asked: Asked = {
      stream,
      headers,
      raw,
      body: () => Buffer.concat(pieces).toString('latin1'),
      trailers: {},
      ended: false,
    };
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('trailers', (trailers: IncomingHttpHeaders) => {
      asked.trailers = trailers;
    });
    stream.on('end', () => {
      asked.ended = true;
    });
    stream.on('error', () => {});
    this.asked.push(asked);
    this.play(asked);
  }
}

/** Answers every request, whole, with a text. */
export function answer(text: string, headers: Record<string, string> = {}): Play {
  return ({ stream }) => {
    stream.respond({ ':status': 200, ...headers });
    stream.end(text);
  };
}

/** Takes a stream back within an answer. Node would say first that the answer is whole. */
export function takeBack(stream: ServerHttp2Stream, code: number): void {
  stream._final = (done) => done();
  stream.close(code);
}

/** Plays nothing: the test acts on the stream itself. */
export const unanswered: Play = () => {};

type Change = Parameters<typeof policy>[0];

/** An edge whose service `app` speaks HTTP/2 and has these endpoints. */
export async function edgeBefore(origins: readonly { port: number }[], change: Change = {}): Promise<EdgeHarness> {
  const edge = await EdgeHarness.start(http2Policy(change), {}, {}, { http2: true });
  edge.state({ endpoints: origins.map((origin): EndpointView => at(origin)) });
  return edge;
}

export function http2Policy(change: Change = {}): ServicePolicy {
  return policy({ upstream: { protocol: 'http2', proxyProtocol: false }, ...change });
}
