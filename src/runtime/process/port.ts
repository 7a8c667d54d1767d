import { createServer } from 'node:net';
import { PilotlightError } from '../../model/errors.ts';
import type { Clock } from '../../util/clock.ts';

/** A port that was handed out is not handed out again for this long, ms: its process may not listen yet. */
const REST_MS = 30_000;
const ATTEMPTS = 100;

/** Finds loopback ports for processes to listen on. */
export class PortPicker {
  readonly #clock: Clock;
  readonly #handedOut = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A port that nobody listens on, that is not in `taken` and was not handed out lately. @throws RUNTIME_FAILED */
  async pick(taken: ReadonlySet<number>): Promise<number> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const port = await unusedPort();
      const now = this.#clock.now();
      for (const [old, since] of this.#handedOut) if (now - since >= REST_MS) this.#handedOut.delete(old);
      if (taken.has(port) || this.#handedOut.has(port) || (await isBound('::1', port))) continue;
      this.#handedOut.set(port, now);
      return port;
    }
    throw new PilotlightError('RUNTIME_FAILED', 'no free port on 127.0.0.1');
  }
}

/** Whether anybody listens on a port of this machine's loopback, in either family. */
export async function isTaken(port: number): Promise<boolean> {
  const taken = await Promise.all(['127.0.0.1', '::1'].map((host) => isBound(host, port)));
  return taken.includes(true);
}

function isBound(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) => resolve(cause.code === 'EADDRINUSE'));
    server.listen({ host, port, ipv6Only: true }, () => server.close(() => resolve(false)));
  });
}

function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause) => {
      reject(new PilotlightError('RUNTIME_FAILED', `no free port on 127.0.0.1: ${cause.message}`, cause));
    });
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
