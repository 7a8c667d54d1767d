import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Message, readMessage, statusOf } from './message.ts';
import { type Cuts, writePaced } from './pacing.ts';

/** One answer as the client got it. */
export interface Answer {
  status: number;
  message: Message;
  /** Its bytes, Latin-1, those of its interim answers first. */
  raw: string;
  /** Interim answers before it. */
  interim: Message[];
  /** Whether it came to its end by its own framing; where only the connection's end tells, by an orderly one. */
  ending: 'complete' | 'truncated';
}

/** How the connection stands: the other side ended it in order, or broke it. */
export type ConnectionState = 'open' | 'ended' | 'reset';

/** One raw client connection: bytes out, answers in. */
export class Client {
  readonly socket: Socket;
  #text = '';
  #state: ConnectionState = 'open';
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      this.#text += bytes.toString('latin1');
      this.#notify();
    });
    socket.on('end', () => this.#end('ended'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('reset'));
  }

  /** @param tls through TLS, as one who offers HTTP/1.1 and believes any certificate */
  static open(port: number, tls = false): Promise<Client> {
    return new Promise((resolve, reject) => {
      const to = { port, host: '127.0.0.1', allowHalfOpen: true };
      const socket = tls ? connectTls({ ...to, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }) : connect(to);
      socket.once('error', reject);
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        resolve(new Client(socket));
      });
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Bytes that came and belong to no answer that was read. */
  get rest(): string {
    return this.#text;
  }

  send(text: string, cuts: Cuts = []): Promise<void> {
    return writePaced(this.socket, text, cuts);
  }

  /** The next final answer; undefined when none came: the connection ended, or `ms` passed. */
  async answer(method: string, ms: number): Promise<Answer | undefined> {
    const deadline = performance.now() + ms;
    const interim: Message[] = [];
    let raw = '';
    for (;;) {
      const ended = this.#state === 'ended';
      const reading = readMessage(this.#text, { answers: method, ended });
      if (reading.state === 'unreadable')
        throw new Error(`not an answer (${reading.why}): ${JSON.stringify(this.#text)}`);
      if (reading.state === 'whole') {
        const { message, end } = reading;
        raw += this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        const status = statusOf(message);
        if (status >= 200 || status === 101) return { status, message, raw, interim, ending: 'complete' };
        interim.push(message);
      } else if (this.#state !== 'open' || performance.now() >= deadline) {
        const { message } = reading;
        if (message === undefined) return undefined;
        raw += this.#text;
        this.#text = '';
        return { status: statusOf(message), message, raw, interim, ending: 'truncated' };
      } else {
        await this.#change(deadline);
      }
    }
  }

  /** Waits until at least so many bytes are there. @returns all that came and was not read yet */
  async bytes(count: number, ms: number): Promise<string> {
    const deadline = performance.now() + ms;
    while (this.#text.length < count && this.#state === 'open' && performance.now() < deadline) {
      await this.#change(deadline);
    }
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Waits for the other side's end of the connection, at most `ms`. */
  async end(ms: number): Promise<ConnectionState> {
    const deadline = performance.now() + ms;
    while (this.#state === 'open' && performance.now() < deadline) await this.#change(deadline);
    return this.#state;
  }

  /** Closes the connection for good. */
  close(): void {
    this.socket.destroy();
  }

  #change(deadline: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, deadline - performance.now()));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #end(state: ConnectionState): void {
    if (this.#state === 'open') this.#state = state;
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
