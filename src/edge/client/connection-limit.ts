import type { Socket } from 'node:net';
import { refusalAnswer } from '../answer/own-answer.ts';
import type { DeadlineEntry } from '../io/deadlines.ts';
import type { ClientContext } from './context.ts';
import { closingMessage } from './own-message.ts';

/** How long such a connection may take to close, ms, and what it may send meanwhile, bytes. */
const LINGER_MS = 1000;
const LINGER_BYTES = 64 * 1024;

/**
 * Answers connections beyond the limit. They cost little: nobody looks at what they send, and their number and their
 * time are bounded.
 */
export class ConnectionLimit {
  readonly #context: ClientContext;
  readonly #sockets = new Set<Socket>();

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** Answers 503, whatever was asked, and closes. */
  answer(socket: Socket): void {
    const { unrouted, deadlines } = this.#context;
    socket.on('error', () => {});
    unrouted.set(503, (unrouted.get(503) ?? 0) + 1);
    socket.end(this.#message(), 'latin1');
    if (!this.keep(socket)) {
      // There is no room to wait for what it sends, so it may lose the answer.
      socket.destroySoon();
      return;
    }
    const linger: DeadlineEntry = { deadline: 0, filed: 0, slotPlace: 0, onDeadline: () => socket.destroy() };
    deadlines.arm(linger, LINGER_MS);
    socket.on('close', () => deadlines.disarm(linger));
    // Read and dropped, so that no reset overtakes the answer (RFC 9112 §9.6).
    socket.on('data', () => {
      if (socket.bytesRead > LINGER_BYTES) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
  }

  /** Keeps a connection that lost its place until it closes. @returns false where there is no room for that either */
  keep(socket: Socket): boolean {
    if (this.#sockets.size >= this.#context.overLimit) return false;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    return true;
  }

  #message(): string {
    const requestId = this.#context.requestId();
    const answer = refusalAnswer('CONNECTION_LIMIT', { requestId, retryAfterMs: 1000, accept: undefined });
    return closingMessage(answer, requestId, this.#context.date());
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
