import type { Socket } from 'node:net';
import { type RefusalCode, refusals } from '../../model/refusals.ts';
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

  /** Answers with a refusal, whatever was asked, and closes. @returns what was said */
  answer(socket: Socket, code: RefusalCode = 'CONNECTION_LIMIT'): { requestId: string; size: number } {
    const { unrouted, deadlines } = this.#context;
    const { status } = refusals[code];
    const requestId = this.#context.requestId();
    const message = this.#message(code, requestId);
    const said = { requestId, size: message.length };
    socket.on('error', () => {});
    unrouted.set(status, (unrouted.get(status) ?? 0) + 1);
    socket.end(message, 'latin1');
    if (!this.keep(socket)) {
      // There is no room to wait for what it sends, so it may lose the answer.
      socket.destroySoon();
      return said;
    }
    const linger: DeadlineEntry = { deadline: 0, filed: 0, slotPlace: 0, onDeadline: () => socket.destroy() };
    deadlines.arm(linger, LINGER_MS);
    socket.on('close', () => deadlines.disarm(linger));
    // Read and dropped, so that no reset overtakes the answer (RFC 9112 §9.6).
    socket.on('data', () => {
      if (socket.bytesRead > LINGER_BYTES) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    return said;
  }

  /** Keeps a connection that lost its place until it closes. @returns false where there is no room for that either */
  keep(socket: Socket): boolean {
    if (this.#sockets.size >= this.#context.overLimit) return false;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    return true;
  }

  #message(code: RefusalCode, requestId: string): string {
    const retryAfterMs = code === 'CONNECTION_LIMIT' ? 1000 : undefined;
    const answer = refusalAnswer(code, { requestId, retryAfterMs, accept: undefined });
    return closingMessage(answer, requestId, this.#context.date());
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
