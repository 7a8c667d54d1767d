import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';

/** What came of a load over HTTP/2. */
interface Http2Result {
  /** Requests that were answered as they should be. */
  answered: number;
  /** How many of them had to be sent again, as the server said that it had not served them (RFC 9113 §8.7). */
  sentAgain: number;
  /** Connections that were opened, and of how many the server took leave. */
  connections: number;
  goaways: number;
  /** One line for each request that was lost. */
  failures: string[];
}

/** What is asked for in turn: an answer at once, an upload, a large answer, and one that takes a while. */
const KINDS = ['get', 'upload', 'large', 'slow'] as const;
type Kind = (typeof KINDS)[number];

const LARGE = 300_000;
const UPLOAD = randomBytes(100_000);
const DIGEST = createHash('sha256').update(UPLOAD).digest('hex');
const PATHS: Record<Kind, string> = {
  get: '/',
  upload: '/digest',
  large: `/download?bytes=${LARGE}`,
  slow: '/?delay=150',
};
/** Longest that one request may take, ms: longer than any wait that is not a failure. */
const PATIENCE_MS = 60_000;

/** A request was not served: it may be sent elsewhere, whatever it is. */
class NotServed extends Error {}

/** One client as browsers are: a connection, many requests at once on it, and another one when it is told to leave. */
class Client {
  readonly #origin: string;
  readonly #host: string;
  readonly #result: Http2Result;
  #session: ClientHttp2Session | undefined;

  constructor(origin: string, host: string, result: Http2Result) {
    this.#origin = origin;
    this.#host = host;
    this.#result = result;
  }

  close(): void {
    this.#session?.close();
  }

  /** A connection on which nothing said yet that it is over. */
  #connection(): ClientHttp2Session {
    const session = this.#session;
    if (session !== undefined && !session.closed && !session.destroyed) return session;
    this.#result.connections++;
    const next = connect(this.#origin, { rejectUnauthorized: false });
    next.on('error', () => {});
    next.on('goaway', () => this.#result.goaways++);
    this.#session = next;
    return next;
  }

  /** Asks until the server has served it, as often as it says that it did not. */
  async ask(kind: Kind): Promise<void> {
    const id = randomUUID();
    for (let tries = 0; ; tries++) {
      try {
        await this.#once(kind, id);
        this.#result.answered++;
        if (tries > 0) this.#result.sentAgain++;
        return;
      } catch (error) {
        if (error instanceof NotServed && tries < 10) continue;
        this.#result.failures.push(`${kind}: ${(error as Error).message}`);
        return;
      }
    }
  }

  #once(kind: Kind, id: string): Promise<void> {
    const session = this.#connection();
    const method = kind === 'upload' ? 'POST' : 'GET';
    const head = { ':method': method, ':path': PATHS[kind], ':authority': this.#host, 'x-test-id': id };
    return new Promise((resolve, reject) => {
      const stream = session.request(head, { endStream: kind !== 'upload' });
      let status = 0;
      let size = 0;
      let text = '';
      let why = '';
      stream.setTimeout(PATIENCE_MS, () => stream.close(constants.NGHTTP2_CANCEL));
      stream.on('response', (headers) => {
        status = Number(headers[':status']);
      });
      stream.on('data', (piece: Buffer) => {
        size += piece.length;
        if (kind === 'upload') text += piece.toString('latin1');
      });
      stream.on('error', (error: NodeJS.ErrnoException) => {
        why = `${error.code} ${error.message}`;
      });
      stream.on('close', () => {
        const isWhole = kind === 'upload' ? text.includes(DIGEST) : kind !== 'large' || size === LARGE;
        if (stream.rstCode === constants.NGHTTP2_NO_ERROR && why === '' && status === 200 && isWhole) resolve();
        else if (wasNotServed(stream.rstCode, why)) reject(new NotServed());
        else reject(new Error(`status ${status}, ${size} bytes, code ${stream.rstCode}, ${why}`));
      });
      if (kind === 'upload') stream.end(UPLOAD);
    });
  }
}

/** The server refused the stream, or took leave before it was sent. */
function wasNotServed(code: number | undefined, why: string): boolean {
  return code === constants.NGHTTP2_REFUSED_STREAM || /ERR_HTTP2_(?:GOAWAY_SESSION|INVALID_SESSION)/.test(why);
}

/** Clients that go on over HTTP/2 whatever happens to the proxy, each with several requests at once. */
export class Http2Load {
  readonly #result: Http2Result = { answered: 0, sentAgain: 0, connections: 0, goaways: 0, failures: [] };
  readonly #clients: Client[];
  readonly #loops: Promise<void>[];
  #stopped = false;

  /**
   * @param origin such as `https://127.0.0.1:8443`; any certificate will do
   * @param host that requests are for
   * @param streams requests that each client has under way
   */
  constructor(origin: string, host: string, clients: number, streams: number) {
    this.#clients = Array.from({ length: clients }, () => new Client(origin, host, this.#result));
    this.#loops = this.#clients.flatMap((client) =>
      Array.from({ length: streams }, (_, index) => this.#loop(client, KINDS[index % KINDS.length] as Kind)),
    );
  }

  get answered(): number {
    return this.#result.answered;
  }

  async stop(): Promise<Http2Result> {
    this.#stopped = true;
    await Promise.all(this.#loops);
    for (const client of this.#clients) client.close();
    return this.#result;
  }

  async #loop(client: Client, kind: Kind): Promise<void> {
    while (!this.#stopped) {
      await client.ask(kind);
      await pause(5);
    }
  }
}
