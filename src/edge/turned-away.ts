import type { Socket } from 'node:net';
import type { EdgeContext } from './context.ts';
import type { DeadlineEntry } from './deadlines.ts';
import { refusalMessage } from './responses.ts';

/** Most connections that are being told at once that there are too many; the others are closed without a word. */
const MAX_ANSWERED = 256;
/** How long such a connection may take to close, ms, and what it may send meanwhile, bytes. */
const LINGER_MS = 1000;
const LINGER_BYTES = 64 * 1024;

/**
 * Connections beyond the limit. They cost little: what they send is not looked at, their number and their time are
 * bounded.
 */
export class TurnedAway {
  readonly #context: EdgeContext;
  readonly #sockets = new Set<Socket>();

  constructor(context: EdgeContext) {
    this.#context = context;
  }

  /** Answers 503, whatever was asked, and closes. */
  answer(socket: Socket): void {
    socket.on('error', () => {});
    if (this.#sockets.size >= MAX_ANSWERED) {
      socket.destroy();
      return;
    }
    const { deadlines, unrouted } = this.#context;
    this.#sockets.add(socket);
    unrouted.set(503, (unrouted.get(503) ?? 0) + 1);
    const linger: DeadlineEntry = { deadline: 0, filed: 0, onDeadline: () => socket.destroy() };
    deadlines.arm(linger, LINGER_MS);
    socket.on('close', () => {
      this.#sockets.delete(socket);
      deadlines.disarm(linger);
    });
    // Read and dropped, so that no reset overtakes the answer (RFC 9112 §9.6).
    socket.on('data', () => {
      if (socket.bytesRead > LINGER_BYTES) socket.destroy();
    });
    socket.on('end', () => socket.destroy());
    socket.end(
      refusalMessage('CONNECTION_LIMIT', {
        requestId: this.#context.requestId(),
        date: this.#context.date(),
        retryAfterMs: 1000,
        html: false,
        head: false,
        close: true,
        oldKeepAlive: false,
      }),
      'latin1',
    );
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}
