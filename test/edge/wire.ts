import { connect, createServer, type Server, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.ts';

/** Longest that anything may take that needs no time of its own, ms: a bound against hanging, never an expectation. */
const LIMIT_MS = 60_000;

/** Fails with `what` when the promise does not settle within the limit. */
export function soon<T>(promise: Promise<T>, what: string, limitMs = LIMIT_MS): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: nothing within ${limitMs} ms`)), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Waits until `condition` holds. */
export async function until(condition: () => boolean, what: string, limitMs = LIMIT_MS): Promise<void> {
  const end = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`${what}: not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Waits for so long, and until whatever sockets had ready then was read: on a busy machine a timer follows another. */
export async function rest(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  await new Promise((resolve) => setImmediate(resolve));
}

/** Longest single rest of `quiet`, ms. */
const REST_MS = 3;

/**
 * Lets what is on its way on loopback arrive: for saying that nothing more happens. In many short rests, with a turn for
 * the sockets behind each: however long the machine stops this process, not all of them pass at once.
 */
export async function quiet(ms = 60): Promise<void> {
  const rests = Math.max(1, Math.ceil(ms / REST_MS));
  for (let i = 0; i < rests; i++) await rest(ms / rests);
}

/** How the other side ended: not yet, orderly (FIN), or broken (RST). */
export type Ending = 'open' | 'end' | 'reset';

/** One end of a TCP connection: bytes out, bytes in, and how it ended. It knows nothing of HTTP but where a head ends. */
export class Wire {
  readonly socket: Socket;
  ending: Ending = 'open';
  /** The socket is closed, by whomever. */
  closed = false;
  /** All bytes that ever came. */
  total = 0;
  #chunks: Buffer[] = [];
  #size = 0;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      this.total += chunk.length;
      this.#notify();
    });
    socket.on('end', () => this.#end('end'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => {
      this.closed = true;
      this.#notify();
    });
  }

  #end(ending: Ending): void {
    if (this.ending === 'open' || ending === 'reset') this.ending = ending;
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** What came and was not taken yet. */
  peek(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  /** Takes the first `count` bytes. */
  take(count: number): Buffer {
    const all = this.peek();
    this.#chunks = count < all.length ? [all.subarray(count)] : [];
    this.#size = all.length - Math.min(count, all.length);
    return all.subarray(0, count);
  }

  get available(): number {
    return this.#size;
  }

  /** Nothing more can come. */
  get over(): boolean {
    return this.ending !== 'open' || this.closed;
  }

  /** Resolves when something came, or the other side ended. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  /** Waits for a condition on what came. @returns whether it came true before the other side ended */
  async wait(condition: () => boolean, what: string): Promise<boolean> {
    while (!condition()) {
      if (this.over) return condition();
      await soon(this.change(), what);
    }
    return true;
  }

  /** Takes everything up to and including `mark`; undefined when the other side ended before. */
  async readThrough(mark: string): Promise<string | undefined> {
    const found = await this.wait(() => this.peek().includes(mark), `bytes through ${JSON.stringify(mark)}`);
    return found ? this.take(this.peek().indexOf(mark) + mark.length).toString('latin1') : undefined;
  }

  async readExactly(count: number): Promise<Buffer> {
    await this.wait(() => this.#size >= count, `${count} bytes`);
    if (this.#size < count)
      throw new Error(`the connection ended (${this.ending}) after ${this.#size} of ${count} bytes`);
    return this.take(count);
  }

  /** Everything up to the end. */
  async readAll(): Promise<Buffer> {
    while (!this.over) await soon(this.change(), 'the end of the connection');
    return this.take(this.#size);
  }

  write(bytes: string | Buffer): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
  }

  /** Half-closes: our FIN, reading goes on. */
  end(): void {
    this.socket.end();
  }

  /** Cuts the connection with a RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Stops taking bytes from the kernel: its buffers fill, and then the sender's. */
  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  async untilOver(): Promise<Ending> {
    await this.wait(() => false, 'the end of the connection');
    return this.ending;
  }
}

/** Field values of a head, by lower-case name; several of one name in order. */
export function fieldsOf(head: string): Record<string, string[]> {
  const fields: Record<string, string[]> = {};
  for (const line of head.split('\r\n').slice(1)) {
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).toLowerCase();
    fields[name] ??= [];
    fields[name].push(line.slice(colon + 1).trim());
  }
  return fields;
}

/** A chunked body, taken apart. `complete`: its last chunk came. */
async function readChunked(wire: Wire): Promise<{ body: Buffer; trailers: string; complete: boolean; chunks: number }> {
  const pieces: Buffer[] = [];
  const partial = () => ({ body: Buffer.concat(pieces), trailers: '', complete: false, chunks: pieces.length });
  for (;;) {
    const line = await wire.readThrough('\r\n');
    if (line === undefined) return partial();
    if (!/^[0-9a-f]+\r\n$/i.test(line)) throw new Error(`bad chunk size ${JSON.stringify(line)}`);
    const size = Number.parseInt(line, 16);
    if (size === 0) break;
    if (!(await wire.wait(() => wire.available >= size + 2, `a chunk of ${size}`))) {
      pieces.push(wire.take(Math.min(size, wire.available)));
      return partial();
    }
    pieces.push(wire.take(size));
    const after = wire.take(2).toString('latin1');
    if (after !== '\r\n') throw new Error(`chunk data followed by ${JSON.stringify(after)}`);
  }
  let trailers = '';
  for (;;) {
    const line = await wire.readThrough('\r\n');
    if (line === undefined) return partial();
    if (line === '\r\n') break;
    trailers += line;
  }
  return { body: Buffer.concat(pieces), trailers, complete: true, chunks: pieces.length };
}

export interface Answer {
  status: number;
  head: string;
  fields: Record<string, string[]>;
  body: Buffer;
  text: string;
  trailers: string;
  /** Whether the answer ended as its framing says. */
  complete: boolean;
  /** Number of chunks, for a chunked one. */
  chunks: number;
  /** Heads of the interim answers that came before. */
  interim: string[];
}

/** A client that writes bytes and takes answers apart by their framing alone. */
export class Client extends Wire {
  static open(port: number, host = '127.0.0.1', localAddress?: string): Promise<Client> {
    const socket = connect({
      port,
      host,
      allowHalfOpen: true,
      ...(localAddress === undefined ? {} : { localAddress }),
    });
    const client = new Client(socket);
    onTestFinished(() => client.destroy());
    return soon(
      new Promise((resolve, reject) => {
        socket.once('connect', () => resolve(client));
        socket.once('error', reject);
      }),
      'a connection',
    );
  }

  /** Sends a request without a body. */
  get(path = '/', fields = '', host = 'app.test'): void {
    this.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${fields}\r\n`);
  }

  /** The next head; undefined when the connection ended before. */
  async head(): Promise<string | undefined> {
    return this.readThrough('\r\n\r\n');
  }

  /** The next final answer, to a request of this method. */
  async answer(method = 'GET'): Promise<Answer> {
    const interim: string[] = [];
    for (;;) {
      const head = await this.head();
      if (head === undefined) {
        throw new Error(
          `no answer; the connection ended (${this.ending}) after ${JSON.stringify(this.peek().toString())}`,
        );
      }
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
      if (status < 200 && status !== 101) {
        interim.push(head);
        continue;
      }
      const fields = fieldsOf(head);
      const rest = await this.#body(method, status, fields);
      return { status, head, fields, interim, ...rest, text: rest.body.toString('latin1') };
    }
  }

  async #body(method: string, status: number, fields: Record<string, string[]>) {
    const none = { trailers: '', chunks: 0 };
    if (method === 'HEAD' || status === 101 || status === 204 || status === 304) {
      return { ...none, body: Buffer.alloc(0), complete: true };
    }
    if (fields['transfer-encoding'] !== undefined) return readChunked(this);
    const length = fields['content-length']?.[0];
    if (length === undefined) return { ...none, body: await this.readAll(), complete: this.ending === 'end' };
    const complete = await this.wait(() => this.available >= Number(length), `a body of ${length}`);
    return { ...none, body: this.take(Math.min(Number(length), this.available)), complete };
  }
}

/** A request as an origin saw it. */
export interface Seen {
  head: string;
  line: string;
  fields: Record<string, string[]>;
  body: Buffer;
  trailers: string;
  complete: boolean;
  chunks: number;
}

/** One connection that an origin accepted. */
export class OriginConnection extends Wire {
  /** The next head; undefined when the connection ended before. */
  head(): Promise<string | undefined> {
    return this.readThrough('\r\n\r\n');
  }

  /** The next request with its body; undefined when the connection ended before one began. */
  async request(): Promise<Seen | undefined> {
    const head = await this.head();
    if (head === undefined) return undefined;
    const fields = fieldsOf(head);
    const line = head.slice(0, head.indexOf('\r\n'));
    if (fields['transfer-encoding'] !== undefined) return { head, line, fields, ...(await readChunked(this)) };
    const length = Number(fields['content-length']?.[0] ?? 0);
    const complete = await this.wait(() => this.available >= length, `a request body of ${length}`);
    return { head, line, fields, body: this.take(Math.min(length, this.available)), trailers: '', complete, chunks: 0 };
  }
}

export type Script = (connection: OriginConnection) => Promise<void> | void;

/** A server of bytes: each accepted connection is played by the script. */
export class Origin {
  readonly connections: OriginConnection[] = [];
  readonly #server: Server;
  script: Script;

  private constructor(server: Server, script: Script) {
    this.#server = server;
    this.script = script;
  }

  static listen(script: Script = answering(), host = '127.0.0.1', port = 0): Promise<Origin> {
    const server = createServer({ allowHalfOpen: true });
    const origin = new Origin(server, script);
    server.on('connection', (socket) => {
      const connection = new OriginConnection(socket);
      origin.connections.push(connection);
      void Promise.resolve(origin.script(connection)).catch(() => connection.destroy());
    });
    onTestFinished(() => origin.close());
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, () => resolve(origin));
    });
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address !== 'object') throw new Error('the origin is closed');
    return address.port;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.connections.filter((connection) => !connection.closed).length;
  }

  /** The `index`-th connection, as soon as it is there. */
  async connection(index = 0): Promise<OriginConnection> {
    await until(() => this.connections.length > index, `connection ${index} at the origin`);
    return this.connections[index] as OriginConnection;
  }

  close(): void {
    this.#server.close();
    for (const connection of this.connections) connection.destroy();
  }
}

/** A whole answer of a text, with its length. */
export function ok(text = 'hello', fields = '', status = '200 OK'): string {
  return `HTTP/1.1 ${status}\r\n${fields}Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

/** Answers every request on a connection, whole, with `reply`'s bytes. */
export function answering(reply: (seen: Seen, index: number) => string | Buffer = () => ok()): Script {
  return async (connection) => {
    for (let index = 0; ; index++) {
      const seen = await connection.request();
      if (seen === undefined) break;
      connection.write(reply(seen, index));
    }
    connection.end();
  };
}

/** Plays nothing: the test acts on the connection itself. */
export const silent: Script = () => {};

/** A port that nobody listens on, nor gets by chance: none of those that the kernel gives out. */
export const deadPort = freePort;

/** A listener that stands still after it began: its queue is full, so that a connect neither succeeds nor fails. */
export class BlackHole {
  readonly port: number;

  private constructor(port: number) {
    this.port = port;
  }

  static async open(): Promise<BlackHole> {
    const worker = new Worker(
      `const { createServer } = require('node:net');
       const { parentPort } = require('node:worker_threads');
       const server = createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
         parentPort.postMessage(server.address().port);
         setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
       });`,
      { eval: true },
    );
    const port = await soon(new Promise<number>((resolve) => worker.once('message', resolve)), 'a listener');
    const fillers: Socket[] = [];
    onTestFinished(async () => {
      for (const filler of fillers) filler.destroy();
      await worker.terminate();
    });
    for (let connected = true; connected; ) {
      const filler = connect({ port, host: '127.0.0.1' });
      filler.on('error', () => {});
      fillers.push(filler);
      connected = await Promise.race([
        new Promise<boolean>((resolve) => filler.once('connect', () => resolve(true))),
        quiet(150).then(() => false),
      ]);
    }
    return new BlackHole(port);
  }
}
