import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
  type SecureClientSessionOptions,
} from 'node:http2';
import { onTestFinished } from 'vitest';
import { soon, until } from '../../wire.ts';

/** An answer on one stream. */
export interface StreamAnswer {
  status: number;
  /** Fields by their names, several of one name joined by a comma; pseudo-fields left out. */
  fields: Record<string, string>;
  text: string;
  trailers: Record<string, string>;
  /** Statuses of the interim answers before it. */
  interim: number[];
  /** Code of RST_STREAM; 0: it ended in order. */
  reset: number;
}

/** One request as a client of Node sees it. */
export class ClientStream {
  readonly stream: ClientHttp2Stream;
  status = 0;
  fields: Record<string, string> = {};
  trailers: Record<string, string> = {};
  readonly interim: number[] = [];
  readonly #pieces: Buffer[] = [];
  closed = false;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on('headers', (headers) => this.interim.push(Number(headers[':status'])));
    stream.on('response', (headers) => {
      this.status = Number(headers[':status']);
      this.fields = plain(headers);
    });
    stream.on('trailers', (headers) => {
      this.trailers = plain(headers);
    });
    stream.on('data', (piece: Buffer) => this.#pieces.push(piece));
    stream.on('error', () => {});
    stream.on('close', () => {
      this.closed = true;
    });
  }

  get body(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** The answer, when its stream is closed. */
  async answer(): Promise<StreamAnswer> {
    await until(() => this.closed, 'the end of the stream');
    const { status, fields, trailers, interim } = this;
    return { status, fields, trailers, interim, text: this.body.toString('latin1'), reset: this.stream.rstCode ?? 0 };
  }
}

function plain(headers: object): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (!name.startsWith(':')) fields[name] = String(value);
  return fields;
}

/** A client of Node on one connection. */
export class Http2Client {
  readonly session: ClientHttp2Session;
  /** Code of the GOAWAY that came last; undefined: none did. */
  goaway: number | undefined;
  closed = false;

  private constructor(session: ClientHttp2Session) {
    this.session = session;
    session.on('error', () => {});
    session.on('goaway', (code) => {
      this.goaway = code;
    });
    session.on('close', () => {
      this.closed = true;
    });
    onTestFinished(() => session.destroy());
  }

  static open(port: number, options: SecureClientSessionOptions = {}): Promise<Http2Client> {
    return Http2Client.of(connect(`http://127.0.0.1:${port}`, options));
  }

  /** The client of a session that was just begun. */
  static async of(session: ClientHttp2Session): Promise<Http2Client> {
    const client = new Http2Client(session);
    await soon(new Promise<void>((resolve) => session.once('remoteSettings', () => resolve())), 'settings of the edge');
    return client;
  }

  /** Sends a request; its body is complete unless `open`. */
  send(headers: OutgoingHttpHeaders = {}, body?: string | Buffer, open = false): ClientStream {
    const ends = body === undefined && !open;
    const all = { ':path': '/', ':authority': 'app.test', ...headers };
    const stream = this.session.request(all, { endStream: ends });
    if (body !== undefined) open ? stream.write(body) : stream.end(body);
    return new ClientStream(stream);
  }

  get(path = '/', headers: OutgoingHttpHeaders = {}): Promise<StreamAnswer> {
    return this.send({ ':path': path, ...headers }).answer();
  }
}
