import type { Socket } from 'node:net';
import type { DeadlineEntry } from '../io/deadlines.ts';
import type { ClientContext } from './context.ts';
import type { ListenerContext } from './listener-context.ts';

/** How often progress is looked for while something is left to send, ms: how late a stall may be noticed. */
const CHECK_MS = 500;

/**
 * Cuts a client off that takes nothing of what is written to it for too long. It only waits while something is left to
 * send, so an answer that has nothing to say at the moment (an event stream) is never cut. The cut is a reset: with an
 * orderly end the kernel would keep what it could not send for minutes.
 */
export class SendWatch implements DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  readonly #socket: Socket;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  /** It cut the client off. */
  hasStalled = false;
  #active = false;
  /** Bytes sent when progress was last seen, and when that was. */
  #sent = 0;
  #since = 0;

  constructor(socket: Socket, context: ClientContext, listener: ListenerContext) {
    this.#socket = socket;
    this.#context = context;
    this.#listener = listener;
  }

  /** Something was written and is not sent yet. */
  begin(): void {
    if (this.#active) return;
    this.#active = true;
    this.#mark();
    this.#wait();
  }

  /** Everything is sent, or the connection is gone. */
  end(): void {
    this.#active = false;
    this.#context.deadlines.disarm(this);
  }

  onDeadline(): void {
    if (this.#socket.writableLength === 0 || this.#socket.destroyed) {
      this.#active = false;
      return;
    }
    if (this.#sentBytes !== this.#sent) this.#mark();
    if (this.#context.clock.now() - this.#since < this.#listener.timeouts.sendMs) {
      this.#wait();
      return;
    }
    this.hasStalled = true;
    this.#socket.resetAndDestroy();
  }

  #mark(): void {
    this.#sent = this.#sentBytes;
    this.#since = this.#context.clock.now();
  }

  #wait(): void {
    const left = this.#since + this.#listener.timeouts.sendMs - this.#context.clock.now();
    this.#context.deadlines.arm(this, Math.min(CHECK_MS, left));
  }

  /** What the kernel took whole: `bytesWritten` counts what waits, too. */
  get #sentBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }
}
