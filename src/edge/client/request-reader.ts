import type { RefusalCode } from '../../model/refusals.ts';
import type { FaultText } from '../http1/faults.ts';
import { HeadFinder } from '../http1/head-finder.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ClientContext } from './context.ts';
import type { ListenerContext } from './listener-context.ts';
import { hopeless, tooLarge } from './unread-request.ts';

/**
 * Requests answered in a row before other connections get their turn. The kernel may have thousands of them ready, and
 * Node would read 2 MiB of one connection at once: redirects for 20 such clients held all others up for 2 s.
 */
const TURN_REQUESTS = 64;

/** How a connection of HTTP/2 begins (RFC 9113 §3.4): to a server of HTTP/1.1 it is a request that it refuses. */
export const PREFACE_LINE = 'PRI * HTTP/2.0\r\n';

/** Most bytes of following requests kept while one is served. */
const MAX_PENDING = 64 * 1024;
/** A FIN within this time of the last byte comes right behind the request, ms: BusyBox wget and `nc -N` send it so. */
const BEHIND_MS = 250;

/** The connection whose requests are read, and which serves them. */
export interface RequestTaker {
  /** Another request can be served. */
  readonly isIdle: boolean;
  /** Serves a request. The bytes of the read from `at` to `size` are its body, and what follows. */
  serve(read: Buffer, at: number, size: number): void;
  /** A part of a head came. @returns whether more of it is waited for */
  awaitsHead(text: string): boolean;
  /** Lets other connections have their turn before more is read. */
  rest(): void;
  /** The connection begins with HTTP/2. @param rest what came behind the first line @returns whether it may */
  speakHttp2(rest: Buffer): boolean;
  /** Refuses bytes that make no request. @param text what was read of them */
  refuseUnread(code: RefusalCode, text: string, fault: FaultText | undefined): void;
}

/** Finds requests in the bytes of a connection, one after the other. Pipelined ones wait for the one before. */
export class RequestReader {
  /** How many bytes wait behind the request that is being served. */
  pendingSize = 0;
  /** These bytes, in the pieces in which they came. */
  #pending: Buffer[] | undefined;
  readonly #request: RequestHead;
  readonly #taker: RequestTaker;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #finder = new HeadFinder(true);
  /** Requests so far. */
  #requests = 0;
  /** When the last byte of a request came: the clock's ms, and turns of the deadlines. */
  #lastByteAt = 0;
  #lastByteTurn = 0;
  /** Guards against starting the next request from within the end of one. */
  #isReading = false;

  /** @param request used again for each request */
  constructor(request: RequestHead, taker: RequestTaker, context: ClientContext, listener: ListenerContext) {
    this.#request = request;
    this.#taker = taker;
    this.#context = context;
    this.#listener = listener;
  }

  /** What came of a head that is not complete. */
  get partial(): string {
    return this.#finder.partial;
  }

  /** No request has come yet. */
  get hasReadNone(): boolean {
    return this.#requests === 0;
  }

  /** Has the requests in the first `size` bytes served, up to the first that takes time. */
  read(chunk: Buffer, size: number): void {
    this.#isReading = true;
    this.#readHead(chunk, size);
    for (let served = 1; this.pendingSize > 0 && this.#taker.isIdle; served++) {
      if (served === TURN_REQUESTS) {
        this.#taker.rest();
        break;
      }
      const next = this.takePending() as Buffer;
      this.#readHead(next, next.length);
    }
    this.#isReading = false;
  }

  /** Reads the bytes that wait, unless that is under way. */
  readPending(): void {
    const next = this.#isReading ? undefined : this.takePending();
    if (next !== undefined) this.read(next, next.length);
  }

  #readHead(chunk: Buffer, size: number): void {
    const finder = this.#finder;
    const { limits, headLimits } = this.#listener;
    if (!finder.find(chunk, 0, size)) {
      const { partial } = finder;
      const why = this.#taker.awaitsHead(partial) ? hopeless(partial, finder.checked, limits) : undefined;
      if (why !== undefined) this.#taker.refuseUnread(why.code, partial, why.fault);
      return;
    }
    const { text } = finder;
    if (text.length > limits.head) {
      this.#taker.refuseUnread(tooLarge(text, limits), text, undefined);
      return;
    }
    const refusal = this.#request.parse(text, finder.bytes, finder.from, headLimits);
    finder.forget();
    if (refusal !== undefined) {
      if (text === PREFACE_LINE && this.hasReadNone && this.#taker.speakHttp2(chunk.subarray(finder.next, size)))
        return;
      this.#taker.refuseUnread(refusal, text, this.#request.fault);
      return;
    }
    this.#requests++;
    if (limits.requests > 0 && this.#requests >= limits.requests) this.#request.keepAlive = false;
    this.#taker.serve(chunk, finder.next, size);
  }

  /** Keeps bytes for later. @param piece nobody else writes to its memory */
  keep(piece: Buffer): void {
    this.noteLastByte(this.#context.clock.now());
    this.pendingSize += piece.length;
    if (this.#pending === undefined) this.#pending = [piece];
    else this.#pending.push(piece);
  }

  /** So many bytes wait that no more are to be read. */
  get isFull(): boolean {
    return this.pendingSize > MAX_PENDING;
  }

  /** Hands the bytes over that wait; undefined: none do. They are joined only here, however many packets brought them. */
  takePending(): Buffer | undefined {
    const pieces = this.#pending;
    if (pieces === undefined) return undefined;
    this.dropPending();
    return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
  }

  dropPending(): void {
    this.#pending = undefined;
    this.pendingSize = 0;
  }

  /** A byte of a request came now. @param now the clock's ms */
  noteLastByte(now: number): void {
    this.#lastByteAt = now;
    this.#lastByteTurn = this.#context.deadlines.turns;
  }

  /**
   * Whether a FIN that is seen now came right behind the last byte. It may have lain there while the process was busy.
   * Then it is seen at the next look, however late that is.
   */
  get hasJustRead(): boolean {
    const { clock, deadlines } = this.#context;
    if (clock.now() - this.#lastByteAt <= BEHIND_MS) return true;
    return deadlines.isTurning && deadlines.turns - this.#lastByteTurn < 2;
  }

  /** No more is read. */
  forget(): void {
    this.#finder.forget();
    this.dropPending();
  }
}
