import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Answer } from './client.ts';
import type { Http2Request } from './http2-row.ts';
import type { Echo } from './lane.ts';
import type { Message } from './message.ts';

/** What came of one stream. */
interface StreamOutcome {
  /** Undefined: it ended without one. */
  answer: Answer | undefined;
  /** Code of RST_STREAM; 0: it ended in order. */
  code: number;
}

let serial = 0;

/** One connection of HTTP/2 by prior knowledge. */
export class Http2Client {
  readonly #session: ClientHttp2Session;

  private constructor(session: ClientHttp2Session) {
    this.#session = session;
  }

  static open(port: number): Promise<Http2Client> {
    const options = {
      maxHeaderListPairs: 1000,
      strictSingleValueFields: false,
      settings: { maxHeaderListSize: 2 ** 20 },
    };
    const session = connect(`http://127.0.0.1:${port}`, options);
    session.on('error', () => {});
    return new Promise((resolve, reject) => {
      session.once('error', reject);
      session.once('remoteSettings', () => resolve(new Http2Client(session)));
    });
  }

  get isOpen(): boolean {
    return !this.#session.closed && !this.#session.destroyed;
  }

  /** Sends a request and waits for the end of its stream. */
  ask({ fields, body, trailers }: Http2Request): Promise<StreamOutcome> {
    const ends = body === '' && trailers === undefined && !fields.includes('content-length');
    const waits = trailers !== undefined;
    const stream = this.#session.request(fields, { endStream: ends, waitForTrailers: waits });
    if (trailers !== undefined)
      stream.on('wantTrailers', () => stream.sendTrailers(Object.fromEntries(pairs(trailers))));
    if (!ends) stream.end(Buffer.from(body, 'latin1'));
    return outcomeOf(stream);
  }

  /** See `askOwn`. */
  async askOwn(name: string): Promise<Echo> {
    const path = `/${name}-${++serial}`;
    const fields = [':method', 'GET', ':scheme', 'http', ':path', path, ':authority', 'clean'];
    const { answer, code } = await this.ask({ fields, body: '', trailers: undefined });
    if (answer === undefined) return 'none';
    return answer.status === 200 && answer.message.body === path && code === 0 ? 'own' : 'foreign';
  }

  close(): void {
    this.#session.destroy();
  }
}

function pairs(inTurn: readonly string[]): [string, string][] {
  return inTurn.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, inTurn[at + 1] as string]] : []));
}

function outcomeOf(stream: ClientHttp2Stream): Promise<StreamOutcome> {
  const interim: Message[] = [];
  let message: Message | undefined;
  const pieces: Buffer[] = [];
  let trailers: [string, string][] = [];
  stream.on('headers', (_headers, _flags, raw: string[]) => interim.push(messageOf(raw)));
  stream.on('response', (_headers, _flags, raw: string[]) => {
    message = messageOf(raw);
  });
  stream.on('data', (piece: Buffer) => pieces.push(piece));
  stream.on('trailers', (_headers, _flags, raw?: string[]) => {
    trailers = pairs(raw ?? []);
  });
  stream.on('error', () => {});
  return new Promise((resolve) => {
    stream.on('close', () => {
      const code = stream.rstCode ?? constants.NGHTTP2_NO_ERROR;
      if (message === undefined) {
        resolve({ answer: undefined, code });
        return;
      }
      const body = Buffer.concat(pieces).toString('latin1');
      const status = Number(message.line.slice(9, 12));
      const ending = code === constants.NGHTTP2_NO_ERROR ? 'complete' : 'truncated';
      resolve({ code, answer: { status, message: { ...message, body, trailers }, raw: '', interim, ending } });
    });
  });
}

/** The head as one of HTTP/1.1, so that the same looks at it. */
function messageOf(raw: readonly string[]): Message {
  const fields = pairs(raw);
  const status = fields.find(([name]) => name === ':status')?.[1] ?? '';
  return {
    line: `HTTP/1.1 ${status} `,
    fields: fields.filter(([name]) => !name.startsWith(':')),
    framing: 'none',
    body: '',
    chunks: 0,
    trailers: [],
    faults: [],
  };
}
