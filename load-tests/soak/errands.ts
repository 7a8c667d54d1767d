import { createHash } from 'node:crypto';
import { type Answer, pause, RawConnection, type RequestOptions } from '../../test/support/raw-client.ts';
import { WebSocketClient } from '../../test/support/web-socket.ts';
import type { Random } from './random.ts';

/** What an errand may use. */
interface Visit {
  port: number;
  host: string;
  /** Goes into the target of the request. */
  id: string;
  random: Random;
  /** The connection that the user keeps between errands. */
  kept: KeptConnection;
}

/** Sends one request; throws with the reason when its answer is not the right one. */
type Errand = (visit: Visit) => Promise<Outcome>;

/** `aborted`: broken off by the client itself, as it meant to. */
export type Outcome = 'answered' | 'aborted';

/** One client connection that is used again while both sides like. */
export class KeptConnection {
  #connection: RawConnection | undefined;

  async exchange(port: number, options: RequestOptions): Promise<Answer> {
    const usable = this.#connection?.ended === false ? this.#connection : undefined;
    const connection = usable ?? (await RawConnection.open(port));
    this.#connection = undefined;
    try {
      const answer = await connection.exchange({ ...options, close: false });
      const goesOn = answer.ending === 'complete' && answer.headers['connection'] !== 'close';
      if (goesOn) this.#connection = connection;
      return answer;
    } finally {
      if (this.#connection !== connection) connection.destroy();
    }
  }

  close(): void {
    this.#connection?.destroy();
    this.#connection = undefined;
  }
}

/** Bytes of a body at most: more than is buffered for a request that waits, and than is read at once. */
const MOST_BODY = 200_000;
/** Bytes of an answer that its client breaks off: more than all the sockets on the way hold. */
const LONG_ANSWER = 8_000_000;

/** What users do. */
export const errands = {
  'kept GET': async ({ port, host, id, random, kept }) => {
    const size = random.whole(0, 20_000);
    const answer = await kept.exchange(port, { host, path: `/page?size=${size}&n=${id}` });
    return expectBody(answer, (body) => body.length === size);
  },

  'fresh GET': async ({ port, host, id, random }) => {
    const size = random.whole(0, 20_000);
    const answer = await alone(port, (connection) => connection.exchange({ host, path: `/page?size=${size}&n=${id}` }));
    return expectBody(answer, (body) => body.length === size);
  },

  POST: async ({ port, host, id, random, kept }) => {
    const body = randomBody(random);
    const answer = await kept.exchange(port, { method: 'POST', host, path: `/digest?n=${id}`, body });
    return expectBody(answer, (found) => found.includes(createHash('sha256').update(body).digest('hex')));
  },

  'chunked POST': async ({ port, host, id, random, kept }) => {
    const body = randomBody(random);
    const headers = { 'Transfer-Encoding': 'chunked' };
    const framed = inChunks(body, random);
    const answer = await kept.exchange(port, { method: 'POST', host, path: `/echo?n=${id}`, headers, body: framed });
    return expectBody(answer, (found) => found.equals(body));
  },

  stream: async ({ port, host, id, random, kept }) => {
    const chunks = random.whole(2, 20);
    const path = `/chunked?chunks=${chunks}&every=50&n=${id}`;
    const headers = { TE: 'trailers', Connection: 'TE' };
    const answer = await kept.exchange(port, { host, path, headers });
    expectBody(answer, (body) => body.toString().split('\n').length === chunks + 1);
    if (answer.trailers['x-check'] !== 'complete') throw new Error('without its trailer');
    return 'answered';
  },

  download: async ({ port, host, id, random }) => {
    const bytes = random.whole(100_000, 1_000_000);
    const path = `/download?bytes=${bytes}&seconds=${random.between(0, 1)}&n=${id}`;
    const answer = await alone(port, (connection) => connection.exchange({ host, path }));
    return expectBody(answer, (body) => body.length === bytes);
  },

  WebSocket: async ({ port, host, id, random }) => {
    const client = await WebSocketClient.open(port, host, `/ws?n=${id}`);
    try {
      for (let left = random.whole(1, 10); left > 0; left--) {
        const text = 'message '.repeat(random.whole(1, 500));
        await client.send(text);
        if ((await client.next()) !== text) throw new Error('another message came back');
        await pause(random.between(0, 100));
      }
      await client.close();
      return 'answered';
    } finally {
      client.connection.destroy();
    }
  },

  'abort in body': async ({ port, host, id, random }) => {
    const body = randomBody(random);
    const headers = { 'Content-Length': String(body.length + 1) };
    const path = `/digest?n=${id}`;
    return alone<Outcome>(port, async (connection) => {
      await connection.send({ method: 'POST', host, path, headers, body });
      await pause(random.between(0, 50));
      return 'aborted';
    });
  },

  'abort in answer': async ({ port, host, id, random }) => {
    const path = `/download?bytes=${LONG_ANSWER}&seconds=1&n=${id}`;
    return alone<Outcome>(port, async (connection) => {
      await connection.send({ host, path });
      const { status } = await connection.readHead();
      if (status !== 200) throw new Error(`${status} to what was to be broken off`);
      await pause(random.between(0, 200));
      return 'aborted';
    });
  },
} as const satisfies Record<string, Errand>;

export type ErrandName = keyof typeof errands;

async function alone<T>(port: number, work: (connection: RawConnection) => Promise<T>): Promise<T> {
  const connection = await RawConnection.open(port);
  try {
    return await work(connection);
  } finally {
    connection.destroy();
  }
}

function expectBody({ status, body, ending }: Answer, isRight: (body: Buffer) => boolean): Outcome {
  if (status !== 200) throw new Error(`${status} ${/"code":"(\w+)"/.exec(body.toString('latin1'))?.[1] ?? ''}`.trim());
  if (ending === 'truncated') throw new Error('truncated');
  if (!isRight(body)) throw new Error('another body');
  return 'answered';
}

function randomBody(random: Random): Buffer {
  const body = Buffer.allocUnsafe(random.whole(1, MOST_BODY));
  for (let at = 0; at < body.length; at += 64) body.fill(random.whole(0, 255), at, Math.min(at + 64, body.length));
  return body;
}

function inChunks(body: Buffer, random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; ) {
    const piece = body.subarray(at, at + random.whole(1, 50_000));
    parts.push(Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n'));
    at += piece.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}
