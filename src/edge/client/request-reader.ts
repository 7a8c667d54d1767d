import type { RefusalCode } from '../../model/refusals.ts';
import type { FaultText } from '../http1/faults.ts';
import { HeadFinder } from '../http1/head-finder.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ListenerContext } from './listener-context.ts';
import { PendingBytes } from './pending-bytes.ts';
import { hopeless, tooLarge } from './unread-request.ts';

/**
 * Requests answered in a row before other connections get their turn. The kernel may have thousands of them ready, and
 * Node would read 2 MiB of one connection at once: redirects for 20 such clients held all others up for 2 s.
 */
const TURN_REQUESTS = 64;

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
  /** Refuses bytes that make no request. @param text what was read of them */
  refuseUnread(code: RefusalCode, text: string, fault: FaultText | undefined): void;
}

/** Finds requests in the bytes of a connection, one after the other. Pipelined ones wait for the one before. */
export class RequestReader {
  /** Bytes behind the request that is being served. */
  readonly pending = new PendingBytes();
  readonly #request: RequestHead;
  readonly #taker: RequestTaker;
  readonly #listener: ListenerContext;
  readonly #finder = new HeadFinder(true);
  /** Requests so far. */
  #requests = 0;
  /** Guards against starting the next request from within the end of one. */
  #isReading = false;

  /** @param request used again for each request */
  constructor(request: RequestHead, taker: RequestTaker, listener: ListenerContext) {
    this.#request = request;
    this.#taker = taker;
    this.#listener = listener;
  }

  /** What came of a head that is not complete. */
  get partial(): string {
    return this.#finder.partial;
  }

  /** Has the requests in the first `size` bytes served, up to the first that takes time. */
  read(chunk: Buffer, size: number): void {
    this.#isReading = true;
    this.#readHead(chunk, size);
    for (let served = 1; this.pending.size > 0 && this.#taker.isIdle; served++) {
      if (served === TURN_REQUESTS) {
        this.#taker.rest();
        break;
      }
      const next = this.pending.take() as Buffer;
      this.#readHead(next, next.length);
    }
    this.#isReading = false;
  }

  /** Reads the bytes that wait, unless that is under way. */
  readPending(): void {
    const next = this.#isReading ? undefined : this.pending.take();
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
      this.#taker.refuseUnread(refusal, text, this.#request.fault);
      return;
    }
    this.#requests++;
    if (limits.requests > 0 && this.#requests >= limits.requests) this.#request.keepAlive = false;
    this.#taker.serve(chunk, finder.next, size);
  }

  /** No more is read. */
  forget(): void {
    this.#finder.forget();
    this.pending.clear();
  }
}
