import { createServer, type Server, type Socket } from 'node:net';
import { freePort } from '../../support/free-port.ts';
import { type Message, readMessage, valuesOf } from './message.ts';

/** One request that reached the origin. */
export interface Received {
  message: Message;
  /** Its bytes, Latin-1. */
  raw: string;
  method: string;
  target: string;
  /** Which connection it came on, counted from 1. */
  connection: number;
}

/**
 * What the origin does when the head of a request is there and its body is not. `done`: it has answered, and takes no
 * notice of what else comes on this connection.
 */
type Interrupting = (head: Message, socket: Socket) => 'done' | 'wait';

/** How the origin answers a request: with bytes and what it does then. */
type Answering = (request: Received, socket: Socket) => void | Promise<void>;

interface Connection {
  id: number;
  socket: Socket;
  text: string;
  /** Requests are read and answered one after the other. */
  busy: boolean;
  /** The unfinished request at its beginning was shown to `interrupting`. */
  shown: boolean;
  ended: boolean;
}

/** A raw TCP server that records what reaches it, byte for byte, and answers each request with its own target. */
export class Origin {
  readonly port: number;
  readonly #server: Server;
  readonly #connections = new Set<Connection>();
  #opened = 0;
  #received: Received[] = [];
  #unreadable: string[] = [];
  /** Of connections that ended in the middle of a request. */
  #brokenOff: string[] = [];
  /** Answers instead of the default where it is set. */
  answering: Answering | undefined;
  interrupting: Interrupting | undefined;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async open(): Promise<Origin> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const port = await freePort();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: '127.0.0.1', backlog: 1024 }, resolve);
    });
    const origin = new Origin(server, port);
    server.on('connection', (socket) => origin.#accept(socket));
    return origin;
  }

  /** Open connections. */
  get connections(): number {
    return this.#connections.size;
  }

  /** What came since the last call: whole requests, the beginnings of others, and bytes that are no request. */
  take(): { received: Received[]; unfinished: string[]; unreadable: string[] } {
    const unfinished = this.#brokenOff;
    for (const connection of this.#connections) if (connection.text !== '') unfinished.push(connection.text);
    const taken = { received: this.#received, unfinished, unreadable: this.#unreadable };
    this.#received = [];
    this.#unreadable = [];
    this.#brokenOff = [];
    return taken;
  }

  /** Breaks all connections. */
  reset(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(socket: Socket): void {
    const connection: Connection = { id: ++this.#opened, socket, text: '', busy: false, shown: false, ended: false };
    this.#connections.add(connection);
    socket.on('data', (bytes: Buffer) => {
      connection.text += bytes.toString('latin1');
      void this.#serve(connection);
    });
    socket.on('end', () => {
      connection.ended = true;
      if (!connection.busy) socket.end();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#connections.delete(connection);
      if (connection.text !== '') this.#brokenOff.push(connection.text);
    });
  }

  async #serve(connection: Connection): Promise<void> {
    if (connection.busy) return;
    connection.busy = true;
    while (connection.text !== '') {
      const reading = readMessage(connection.text, { answers: undefined, ended: false });
      if (reading.state === 'partial') {
        if (this.#interrupts(connection, reading.message)) return;
        break;
      }
      if (reading.state === 'unreadable') {
        this.#unreadable.push(`${reading.why} in ${JSON.stringify(connection.text.slice(0, 300))}`);
        connection.text = '';
        connection.socket.destroy();
        break;
      }
      const raw = connection.text.slice(0, reading.end);
      connection.text = connection.text.slice(reading.end);
      connection.shown = false;
      await this.#answer(reading.message, raw, connection);
    }
    connection.busy = false;
    if (connection.ended) connection.socket.end();
  }

  /** @returns whether the connection is done with */
  #interrupts(connection: Connection, head: Message | undefined): boolean {
    if (head === undefined || connection.shown || this.interrupting === undefined) return false;
    connection.shown = true;
    if (this.interrupting(head, connection.socket) === 'wait') return false;
    connection.text = '';
    return true;
  }

  async #answer(message: Message, raw: string, { id, socket }: Connection): Promise<void> {
    const [method = '', target = ''] = message.line.split(' ');
    const received: Received = { message, raw, method, target, connection: id };
    this.#received.push(received);
    await (this.answering ?? answerWithTarget)(received, socket);
  }
}

/** 200 with the request's own target as body. */
export function answerWithTarget({ message, method, target }: Received, socket: Socket): void {
  const close = valuesOf(message.fields, 'connection').some((value) => /\bclose\b/i.test(value));
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${target.length}\r\n${close ? 'Connection: close\r\n' : ''}\r\n`;
  socket.write(method === 'HEAD' ? head : head + target, 'latin1');
  if (close) socket.end();
}
