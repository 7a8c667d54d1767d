import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds since the epoch, with fractions: comparable with the times that the mimic notes. */
export function epochNow(): number {
  return performance.timeOrigin + performance.now();
}

/** What a request is made of; the head is written as given, with nothing added but what is said here. */
export interface RequestOptions {
  method?: string;
  path?: string;
  /** Host header; `localhost` by default. */
  host?: string;
  /** In order; a name may come twice. */
  headers?: Record<string, string | string[]>;
  /** Sent with its Content-Length, unless `headers` says how it is framed. */
  body?: Buffer | string;
  /** Sent as X-Test-Id; a fresh one by default. */
  id?: string;
  /** Close the connection after the answer; true by default. */
  close?: boolean;
  /** Destroy the connection this long after the request was written, ms. */
  abortAfter?: number;
  /** Give up after this time, ms; 60 s by default. */
  timeout?: number;
}

/** How the connection stood when the answer ended. */
export type Ending = 'complete' | 'truncated';

export interface Answer {
  id: string;
  status: number;
  /** Lower-case names; values that came twice are joined by `, `. */
  headers: Record<string, string>;
  rawHead: string;
  /** Interim answers (1xx) that came before. */
  interim: { status: number; at: number }[];
  body: Buffer;
  trailers: Record<string, string>;
  ending: Ending;
  /** Epoch times, ms: request written, first byte of the head, last byte. */
  sentAt: number;
  firstByteAt: number;
  endedAt: number;
}

/** From the last byte of the request's head to the last of the answer, ms. */
export const took = (answer: Answer): number => answer.endedAt - answer.sentAt;

export class Disconnected extends Error {
  constructor(detail: string) {
    super(`the connection ended before an answer: ${detail}`);
    this.name = 'Disconnected';
  }
}

interface Head {
  status: number;
  rawHead: string;
  headers: Record<string, string>;
  at: number;
}

/** One client connection: bytes out, answers in, in order. */
export class RawConnection {
  readonly socket: Socket;
  #pending: Buffer[] = [];
  #size = 0;
  #failure: string | undefined;
  #wake: (() => void) | undefined;
  #lastByteAt = 0;
  #chunkAt = 0;
  /** Resolves when the connection is closed, by whomever. */
  readonly closed: Promise<void>;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      if (this.#size === 0) this.#chunkAt = epochNow();
      this.#lastByteAt = epochNow();
      this.#pending.push(chunk);
      this.#size += chunk.length;
      // Reads no further than somebody wants: a slow reader pushes back.
      if (this.#size > 4 * 1024 * 1024) socket.pause();
      this.#notify();
    });
    socket.on('end', () => this.#end('closed by the other side'));
    socket.on('error', (error) => this.#end(error.message));
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end('closed');
        resolve();
      });
    });
  }

  /** Connects to a loopback port (or another address of this machine). */
  static open(port: number, host = '127.0.0.1'): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawConnection(socket));
      });
    });
  }

  /** Whether the other side ended the connection, or it broke. */
  get ended(): boolean {
    return this.#failure !== undefined;
  }

  /** Writes bytes; resolves when the kernel took them (rejects when the connection broke). */
  write(bytes: Buffer | string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Writes one request, head and body, and says when and under which id. */
  async send(options: RequestOptions): Promise<{ id: string; sentAt: number }> {
    const id = options.id ?? freshId();
    const head = requestHead(options, id);
    const sentAt = epochNow();
    await this.write(options.body === undefined ? head : Buffer.concat([Buffer.from(head), Buffer.from(options.body)]));
    return { id, sentAt };
  }

  /** Reads the answer to one request, interim ones included. */
  async read(method: string, sent: { id: string; sentAt: number }): Promise<Answer> {
    const interim: Answer['interim'] = [];
    let head = await this.readHead();
    while (head.status < 200 && head.status !== 101) {
      interim.push({ status: head.status, at: head.at });
      head = await this.readHead();
    }
    const { status, rawHead, headers, at } = head;
    const rest = await this.#readBody(method, head);
    return { ...sent, status, headers, rawHead, interim, ...rest, firstByteAt: at, endedAt: this.#lastByteAt };
  }

  /** Sends a request and reads its answer. */
  async exchange(options: RequestOptions): Promise<Answer> {
    const sent = await this.send(options);
    return this.read(options.method ?? 'GET', sent);
  }

  /** Reads one head, up to its empty line. */
  async readHead(): Promise<Head> {
    let end = this.#joined().indexOf('\r\n\r\n');
    while (end < 0) {
      await this.#more();
      end = this.#joined().indexOf('\r\n\r\n');
    }
    const at = this.#chunkAt;
    const rawHead = this.#take(end + 4).toString('latin1');
    const [line = '', ...fields] = rawHead.slice(0, -4).split('\r\n');
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1]);
    if (!Number.isInteger(status)) throw new Error(`not an answer: ${JSON.stringify(line)}`);
    return { status, rawHead, headers: parseFields(fields), at };
  }

  /** Whatever arrived and was not read yet, waiting until there is something. */
  async readSome(): Promise<Buffer> {
    if (this.#size === 0) await this.#more();
    return this.#take(this.#size);
  }

  /** Exactly so many bytes. */
  async readExactly(count: number): Promise<Buffer> {
    while (this.#size < count) await this.#more();
    return this.#take(count);
  }

  /** Breaks the connection at once. */
  destroy(): void {
    this.socket.destroy();
  }

  /** The same so that the other end is told: an end right behind a request may be a half-close. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  async #readBody(method: string, head: Head): Promise<Pick<Answer, 'body' | 'trailers' | 'ending'>> {
    const { status, headers } = head;
    const none = { body: Buffer.alloc(0), trailers: {}, ending: 'complete' as const };
    if (method === 'HEAD' || status === 101 || status === 204 || status === 304) return none;
    if (headers['transfer-encoding']?.toLowerCase() === 'chunked') return this.#readChunked();
    if (headers['content-length'] !== undefined) {
      const length = Number(headers['content-length']);
      const arrived = await this.#readExactlyOrLess(length);
      return { body: arrived, trailers: {}, ending: arrived.length === length ? 'complete' : 'truncated' };
    }
    const body = await this.#readExactlyOrLess(Number.POSITIVE_INFINITY);
    return { body, trailers: {}, ending: 'complete' };
  }

  async #readChunked(): Promise<Pick<Answer, 'body' | 'trailers' | 'ending'>> {
    const parts: Buffer[] = [];
    try {
      for (;;) {
        const size = Number.parseInt(await this.#readLine(), 16);
        if (!Number.isInteger(size)) throw new Error('not a chunk size');
        if (size === 0) break;
        parts.push(await this.readExactly(size));
        if ((await this.#readLine()) !== '') throw new Error('a chunk is longer than it says');
      }
      const fields: string[] = [];
      for (let line = await this.#readLine(); line !== ''; line = await this.#readLine()) fields.push(line);
      return { body: Buffer.concat(parts), trailers: parseFields(fields), ending: 'complete' };
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
      return { body: Buffer.concat(parts), trailers: {}, ending: 'truncated' };
    }
  }

  async #readExactlyOrLess(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let missing = count;
    try {
      while (missing > 0) {
        const part = await this.readSome();
        parts.push(part.subarray(0, missing));
        if (part.length > missing) this.#putBack(part.subarray(missing));
        missing -= Math.min(missing, part.length);
      }
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    }
    return Buffer.concat(parts);
  }

  async #readLine(): Promise<string> {
    let end = this.#joined().indexOf('\r\n');
    while (end < 0) {
      await this.#more();
      end = this.#joined().indexOf('\r\n');
    }
    return this.#take(end + 2)
      .subarray(0, end)
      .toString('latin1');
  }

  #joined(): Buffer {
    if (this.#pending.length > 1) this.#pending = [Buffer.concat(this.#pending)];
    return this.#pending[0] ?? Buffer.alloc(0);
  }

  #take(count: number): Buffer {
    const all = this.#joined();
    this.#pending = count < all.length ? [all.subarray(count)] : [];
    this.#size = all.length - count;
    if (this.socket.isPaused() && this.#size < 1024 * 1024) this.socket.resume();
    return all.subarray(0, count);
  }

  #putBack(bytes: Buffer): void {
    this.#pending.unshift(bytes);
    this.#size += bytes.length;
  }

  async #more(): Promise<void> {
    const had = this.#size;
    while (this.#size === had) {
      if (this.#failure !== undefined) throw new Disconnected(this.#failure);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #end(why: string): void {
    this.#failure ??= why;
    this.#notify();
  }

  #notify(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}

/** One request on a connection of its own. Rejects with Disconnected when no head came before the connection ended. */
export async function request(port: number, options: RequestOptions = {}, address = '127.0.0.1'): Promise<Answer> {
  const connection = await RawConnection.open(port, address);
  return requestOn(connection, options);
}

/** The same on a connection that is open already, which it closes. */
export async function requestOn(connection: RawConnection, options: RequestOptions = {}): Promise<Answer> {
  const timeout = options.timeout ?? 60_000;
  let late = false;
  const timers = [
    setTimeout(() => {
      late = true;
      connection.destroy();
    }, timeout),
  ];
  try {
    const sent = await connection.send(options);
    if (options.abortAfter !== undefined) timers.push(setTimeout(() => connection.destroy(), options.abortAfter));
    return await connection.read(options.method ?? 'GET', sent);
  } catch (error) {
    if (late) throw new Error(`no whole answer within ${timeout / 1000} s`, { cause: error });
    throw error;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    connection.destroy();
  }
}

/** So many connections, opened before any of them is used: their making is then no part of what is measured. */
export function connections(port: number, count: number): Promise<RawConnection[]> {
  return Promise.all(Array.from({ length: count }, () => RawConnection.open(port)));
}

/** The same request `count` times at once, each on a connection of its own. */
export async function burst(port: number, count: number, options: RequestOptions = {}): Promise<Answer[]> {
  const open = await connections(port, count);
  return Promise.all(open.map((connection) => requestOn(connection, options)));
}

let serial = 0;
const run = randomBytes(4).toString('hex');

/** An id that no other request has. */
export function freshId(): string {
  serial++;
  return `${run}-${process.pid}-${serial}`;
}

/** The bytes of a request's head. */
export function requestHead(options: RequestOptions, id: string): string {
  const { method = 'GET', path = '/', host = 'localhost', headers = {}, body, close = true } = options;
  const names = Object.keys(headers).map((name) => name.toLowerCase());
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, `X-Test-Id: ${id}`];
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) lines.push(`${name}: ${one}`);
  }
  if (close && !names.includes('connection')) lines.push('Connection: close');
  const framed = names.includes('content-length') || names.includes('transfer-encoding');
  if (body !== undefined && !framed) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function parseFields(lines: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon <= 0) throw new Error(`not a header field: ${JSON.stringify(line)}`);
    const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    fields[name] = fields[name] === undefined ? value : `${fields[name]}, ${value}`;
  }
  return fields;
}

/** Resolves after so many milliseconds. */
export const pause = (ms: number): Promise<void> => sleep(ms);
