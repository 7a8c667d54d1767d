import { connect, type Socket } from 'node:net';
import { Fault, strangerIn } from '../http1/faults.ts';
import type { DeadlineEntry, Deadlines } from '../io/deadlines.ts';

/** The answer to the greeting may take so long, ms. */
export const TLS_LIMIT_MS = 2000;

/** A ClientHello of TLS 1.2 without extensions. A server of any version of TLS answers it with a TLS record. */
const GREETING = greeting();

/**
 * Finds out whether an address speaks TLS. Many servers that do close without a word when they are asked in plain HTTP.
 */
export class TlsCheck implements DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  readonly #socket: Socket;
  readonly #deadlines: Deadlines;
  #done: ((speaksTls: boolean) => void) | undefined;
  #answer = '';

  /** @param done called once; not after `close` */
  constructor(address: { host: string; port: number }, deadlines: Deadlines, done: (speaksTls: boolean) => void) {
    this.#done = done;
    this.#deadlines = deadlines;
    this.#socket = connect({ host: address.host, port: address.port });
    this.#socket.on('connect', () => this.#socket.write(GREETING));
    this.#socket.on('data', (bytes) => this.#onData(bytes));
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#finish(false));
    deadlines.arm(this, TLS_LIMIT_MS);
  }

  onDeadline(): void {
    this.#finish(false);
  }

  close(): void {
    this.#done = undefined;
    this.#deadlines.forget(this);
    this.#socket.destroy();
  }

  #onData(bytes: Buffer): void {
    this.#answer += bytes.toString('latin1', 0, 2);
    if (this.#answer.length >= 2) this.#finish(strangerIn(this.#answer) === Fault.TLS_ANSWER);
  }

  #finish(speaksTls: boolean): void {
    const done = this.#done;
    this.close();
    done?.(speaksTls);
  }
}

function greeting(): Buffer {
  const suites = [0xc02f, 0xc030, 0xc02b, 0xc02c, 0x009c, 0x009d, 0x002f, 0x0035];
  const hello = [3, 3, ...Array.from({ length: 32 }, (_, i) => i), 0, 0, suites.length * 2];
  hello.push(...suites.flatMap((suite) => [suite >> 8, suite & 255]), 1, 0);
  const message = [1, 0, 0, hello.length, ...hello];
  return Buffer.from([0x16, 3, 1, 0, message.length, ...message]);
}
