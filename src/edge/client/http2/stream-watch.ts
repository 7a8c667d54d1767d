import type { DeadlineEntry } from '../../io/deadlines.ts';
import type { ClientContext } from '../context.ts';
import type { ListenerContext } from '../listener-context.ts';

/** How often progress is looked for while something is left to send, ms: how late a stall may be noticed. */
const CHECK_MS = 500;
/** Most bytes of one stream that wait in its writer and in Node, about. */
const QUEUE_BYTES = 128 * 1024;

/** Bytes that are no content, such as the ends of a hundred other streams. */
const CONTROL_BYTES = 4096;

/** The connection that a stream shares with others. */
export interface SharedConnection {
  /** Bytes that the kernel took so far. */
  readonly sentBytes: number;
  /** Something that was written waits for the kernel to take it. */
  readonly isStuck: boolean;
  /** Streams that are open. */
  readonly streams: number;
  /** Cuts the connection: the client takes nothing at all. */
  onStuck(): void;
}

/** The stream that is watched. */
export interface WatchedStream {
  /** Something of the answer waits for the client, be it its head or its end. */
  readonly isWaiting: boolean;
  /** Bytes of the answer that the client took, about. */
  readonly taken: number;
  /** Cuts the stream. */
  onStalled(): void;
}

/**
 * Cuts off a stream of whose answer the client takes nothing for too long: it gives the stream no window, or takes
 * nothing from the connection at all. As on HTTP/1.1, an answer with nothing to send at the moment is never cut. Nor is
 * a stream that waits because others have the connection: as long as they have not sent what would have made its turn
 * come twice, it is theirs that takes long.
 */
export class StreamWatch implements DeadlineEntry {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  readonly #stream: WatchedStream;
  readonly #connection: SharedConnection;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  #active = false;
  /** What the client had taken when progress was last seen, what the connection had sent, and when that was. */
  #taken = 0;
  #sent = 0;
  #since = 0;
  /** What the connection had sent when it was last seen to send content, and when that was. */
  #moved = 0;
  #movedAt = 0;

  constructor(stream: WatchedStream, connection: SharedConnection, context: ClientContext, listener: ListenerContext) {
    this.#stream = stream;
    this.#connection = connection;
    this.#context = context;
    this.#listener = listener;
  }

  /** Something was written, and the client has not taken it yet. */
  begin(): void {
    if (this.#active) return;
    this.#active = true;
    this.#mark(this.#context.clock.now());
    this.#context.deadlines.arm(this, CHECK_MS, this.#since);
  }

  /** The stream is over. */
  end(): void {
    this.#active = false;
    this.#context.deadlines.disarm(this);
  }

  onDeadline(): void {
    if (!this.#stream.isWaiting) {
      this.#active = false;
      return;
    }
    const now = this.#context.clock.now();
    if (this.#stream.taken !== this.#taken) this.#mark(now);
    this.#look(now);
    const { sendMs } = this.#listener.timeouts;
    if (now - this.#since < sendMs) this.#wait(now);
    else if (now - this.#movedAt >= sendMs && this.#connection.isStuck) this.#connection.onStuck();
    else if (now - this.#movedAt >= sendMs || this.#hasHadItsTurn) this.#stream.onStalled();
    else this.#wait(now);
  }

  /** Looks whether the connection sends content. */
  #look(now: number): void {
    const sent = this.#connection.sentBytes;
    if (sent - this.#moved < CONTROL_BYTES) return;
    this.#moved = sent;
    this.#movedAt = now;
  }

  get #hasHadItsTurn(): boolean {
    return this.#connection.sentBytes - this.#sent >= 2 * QUEUE_BYTES * this.#connection.streams;
  }

  #wait(now: number): void {
    this.#context.deadlines.arm(this, CHECK_MS, now);
  }

  #mark(now: number): void {
    this.#taken = this.#stream.taken;
    this.#sent = this.#connection.sentBytes;
    this.#since = now;
    this.#moved = this.#sent;
    this.#movedAt = now;
  }
}
