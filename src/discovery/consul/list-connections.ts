import { validateHeaderValue } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '../../util/clock.ts';
import { hostPort } from '../../util/host-port.ts';
import { AnswerReader } from './answer-reader.ts';
import type { AnswerRoom } from './answer-room.ts';
import type { ConsulPlace, OnRead } from './connection.ts';

/** One read takes in at most so many bytes. */
const READ_BYTES = 64 * 1024;

export interface ListAnswer {
  status: number;
  /** By their names in lower case. */
  headers: ReadonlyMap<string, string>;
  /** In the room that was given for it. */
  body: Buffer;
  /** When its head was there, the clock's ms. */
  arrivedAt: number;
}

interface Question {
  path: string;
  headers: Readonly<Record<string, string>>;
  /** Where its body goes. */
  room: AnswerRoom;
}

type OpenSocket = (place: ConsulPlace, onRead: OnRead) => Promise<Socket>;

/**
 * Kept connections for long lists. They are read into memory that is used again: by way of Node's client each read of ten
 * thousand checks left 8 MB of garbage outside the heap, and to collect it took three times as long as all else.
 */
export class ListConnections {
  readonly #open: OpenSocket;
  readonly #clock: Clock;
  /** By the agents' origins. */
  readonly #idle = new Map<string, ListConnection[]>();
  /** How often idle ones were closed: what was in use at the time is not kept afterwards. */
  #closings = 0;

  constructor(open: OpenSocket, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /** @throws DISCOVERY_FAILED (an answer of no use), what the socket failed of, the signal's reason */
  async get(place: ConsulPlace, question: Question, signal: AbortSignal): Promise<ListAnswer> {
    for (;;) {
      const closings = this.#closings;
      const kept = this.#take(place.origin);
      const connection = kept ?? (await ListConnection.open(place, this.#open, this.#clock, signal));
      try {
        const answer = await connection.ask(question, signal);
        if (closings !== this.#closings) connection.close();
        else if (connection.isIdle) this.#keep(place.origin, connection);
        return answer;
      } catch (thrown) {
        connection.close();
        // A kept connection that Consul closed at the same moment says nothing about Consul.
        const { code } = thrown as NodeJS.ErrnoException;
        if (kept === undefined || (code !== 'ECONNRESET' && code !== 'EPIPE')) throw thrown;
      }
    }
  }

  /** Closes idle connections: to one agent, or to all. Those in use are closed when they have their answers. */
  close(origin?: string): void {
    this.#closings++;
    for (const [each, connections] of this.#idle) {
      if (origin !== undefined && each !== origin) continue;
      for (const connection of connections) connection.close();
      this.#idle.delete(each);
    }
  }

  #take(origin: string): ListConnection | undefined {
    for (;;) {
      const connection = this.#idle.get(origin)?.pop();
      if (connection === undefined || connection.isIdle) return connection;
    }
  }

  #keep(origin: string, connection: ListConnection): void {
    const others = this.#idle.get(origin);
    if (others === undefined) this.#idle.set(origin, [connection]);
    else others.push(connection);
  }
}

/** A question that is under way. */
interface Wait {
  reader: AnswerReader;
  room: AnswerRoom;
  arrivedAt: number;
  resolve: (answer: ListAnswer) => void;
  reject: (error: unknown) => void;
}

class ListConnection {
  readonly #socket: Socket;
  readonly #place: ConsulPlace;
  readonly #clock: Clock;
  #wait: Wait | undefined;
  #isKept = true;

  private constructor(socket: Socket, place: ConsulPlace, clock: Clock) {
    this.#socket = socket;
    this.#place = place;
    this.#clock = clock;
    socket.on('error', (error) => this.#fail(error));
    socket.on('end', () => this.#end());
    socket.on('close', () => this.#end());
  }

  static async open(place: ConsulPlace, open: OpenSocket, clock: Clock, signal: AbortSignal): Promise<ListConnection> {
    let made: ListConnection | undefined;
    const onBytes = (size: number, bytes: Uint8Array) => {
      if (made !== undefined) made.#read(bytes as Buffer, size);
      return true;
    };
    const socket = await open(place, { buffer: Buffer.allocUnsafeSlow(READ_BYTES), callback: onBytes });
    made = new ListConnection(socket, place, clock);
    if (!signal.aborted) return made;
    made.close();
    throw signal.reason;
  }

  /** Whether another question may be asked. */
  get isIdle(): boolean {
    return this.#isKept && this.#wait === undefined && !this.#socket.destroyed;
  }

  /** One at a time. */
  async ask({ path, headers, room }: Question, signal: AbortSignal): Promise<ListAnswer> {
    // It may have failed before anybody listened to it.
    if (this.#socket.destroyed) throw this.#socket.errored ?? wasClosed();
    const lines = Object.entries({ Host: hostPort(this.#place), ...headers }).map(([name, value]) => {
      validateHeaderValue(name, value);
      return `${name}: ${value}\r\n`;
    });
    const onAbort = () => this.#fail(signal.reason);
    try {
      return await new Promise((resolve, reject) => {
        this.#wait = { reader: new AnswerReader(room), room, arrivedAt: 0, resolve, reject };
        signal.addEventListener('abort', onAbort, { once: true });
        this.#socket.ref();
        this.#socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1');
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#socket.unref();
    }
  }

  close(): void {
    this.#isKept = false;
    this.#socket.destroy();
  }

  #read(bytes: Buffer, size: number): void {
    const wait = this.#wait;
    if (wait === undefined) {
      this.close();
      return;
    }
    const { reader } = wait;
    const hadHead = reader.hasHead;
    try {
      reader.read(bytes, size);
    } catch (thrown) {
      this.#fail(thrown);
      return;
    }
    if (!hadHead && reader.hasHead) wait.arrivedAt = this.#clock.now();
    if (reader.isDone) this.#answer(wait);
  }

  #answer(wait: Wait): void {
    const { reader, room, arrivedAt, resolve } = wait;
    this.#wait = undefined;
    if (!reader.isKept) this.close();
    resolve({ status: reader.status, headers: reader.headers, body: room.bytes, arrivedAt });
  }

  #end(): void {
    const wait = this.#wait;
    if (wait?.reader.end()) this.#answer(wait);
    else this.#fail(wasClosed());
  }

  #fail(error: unknown): void {
    this.close();
    this.#wait?.reject(error);
    this.#wait = undefined;
  }
}

function wasClosed(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
