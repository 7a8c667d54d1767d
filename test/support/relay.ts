import { rm } from 'node:fs/promises';
import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';
import { Transform } from 'node:stream';

/** Where bytes go to or come in: a unix socket's path, or a loopback port. */
type RelayEnd = { path: string } | { port: number };

/** Stands between a client and a server so that a test can cut the line between them, or count what goes through. */
export class Relay {
  readonly #from: RelayEnd;
  readonly #to: RelayEnd;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  /** What waits until the line passes things on again; undefined: it does. */
  #waiting: (() => void)[] | undefined;
  /** What the server says comes so much later, ms. */
  answerDelayMs = 0;
  /** Times at which an HTTP request line came by, epoch ms. */
  readonly requests: { at: number; line: string }[] = [];

  private constructor(from: RelayEnd, to: RelayEnd) {
    this.#from = from;
    this.#to = to;
  }

  static async open(from: RelayEnd, to: RelayEnd): Promise<Relay> {
    const relay = new Relay(from, to);
    await relay.restore();
    return relay;
  }

  /** Breaks every connection and refuses new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.breakConnections();
    if (server !== undefined) await new Promise((resolve) => server.close(resolve));
  }

  /** As where a cable is pulled: nothing passes any more, the ends of connections neither, and nobody is told. */
  silence(): void {
    this.#waiting ??= [];
  }

  /** What waited passes, and all that follows. */
  heal(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const pass of waiting) pass();
  }

  /** Breaks every connection; new ones are let through. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Lets connections through again. */
  async restore(): Promise<void> {
    if (this.#server !== undefined) return;
    if ('path' in this.#from) await rm(this.#from.path, { force: true });
    const server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ ...this.#from, ...('port' in this.#from ? { host: '127.0.0.1' } : {}) }, resolve);
    });
  }

  /** Now, or when the line is healed. */
  #pass(act: () => void): void {
    if (this.#waiting === undefined) act();
    else this.#waiting.push(act);
  }

  #line(delayMs: () => number): Transform {
    return new Transform({
      transform: (bytes, _, pass) => {
        const delay = delayMs();
        const send = () => this.#pass(() => pass(null, bytes));
        if (delay === 0) send();
        else setTimeout(send, delay);
      },
      flush: (done) => this.#pass(done),
    });
  }

  #join(client: Socket): void {
    const options = 'port' in this.#to ? { ...this.#to, host: '127.0.0.1' } : this.#to;
    const server = connect({ ...options, allowHalfOpen: true } as NetConnectOpts);
    client.on('data', (bytes) => {
      for (const [line] of bytes.toString('latin1').matchAll(/^[A-Z]+ \/\S* HTTP\/1\.1/gm)) {
        this.requests.push({ at: Date.now(), line });
      }
    });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => this.#pass(() => other.destroy()));
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (socket.readableAborted || socket.errored !== null) this.#pass(() => other.destroy());
      });
      socket.pipe(this.#line(() => (socket === server ? this.answerDelayMs : 0))).pipe(other);
    }
  }
}
