import { Framing, type FramingKind } from '../http1/framing.ts';
import type { RequestHead } from '../http1/request.ts';
import { toKeep } from '../io/shared-read.ts';
import type { Service } from '../service/service.ts';
import type { Carrier } from '../upstream/carrier.ts';
import type { ExchangeContext } from './context.ts';

/** Most bytes of one request's body that are kept, while it is held or to send it again. */
const MAX_BUFFERED = 64 * 1024;
/**
 * Pieces below this size are copied together from the second one on: as views, the one-byte chunks of 64 KiB would take
 * several MiB.
 */
const SMALL_PIECE = 1024;
const GATHERED_BYTES = 8 * 1024;

/** The part of a request's body that is kept: until it can be sent, and then while it may have to be sent again. */
export class RequestBuffer {
  readonly #context: ExchangeContext;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Where small pieces are copied to: its filled part is the last of `#pieces`. */
  #gathered: Buffer | undefined;
  #filled = 0;
  /** Counted against the bounds of what may be held. */
  #reserved = 0;
  /** There is room for all that may be read before it is asked again. */
  #roomy = true;
  /** Its length is known, and it can be kept whole. */
  #small = false;
  /** Everything that came so far is in `#pieces`. */
  #whole = true;

  constructor(context: ExchangeContext) {
    this.#context = context;
  }

  /** Forgets the request before. */
  begin(): void {
    if (this.#bytes > 0) this.#clear();
    this.#whole = true;
  }

  add(piece: Buffer): void {
    this.#bytes += piece.length;
    if (piece.length < SMALL_PIECE && this.#pieces.length > 0) {
      this.#gather(piece);
    } else {
      this.#pieces.push(piece);
      this.#gathered = undefined;
    }
  }

  #gather(piece: Buffer): void {
    if (this.#gathered === undefined || this.#filled + piece.length > GATHERED_BYTES) {
      this.#gathered = Buffer.allocUnsafe(GATHERED_BYTES);
      this.#filled = 0;
    } else {
      this.#pieces.pop();
    }
    piece.copy(this.#gathered, this.#filled);
    this.#filled += piece.length;
    this.#pieces.push(this.#gathered.subarray(0, this.#filled));
  }

  #clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
    this.#gathered = undefined;
  }

  /** Copies what is still kept of a read whose bytes the next one overwrites. */
  keep(): void {
    if (this.#bytes > 0) this.#pieces = this.#pieces.map(toKeep);
  }

  /** Whether no more should be read before this can be sent. */
  get isFull(): boolean {
    return this.#bytes >= MAX_BUFFERED;
  }

  /** Whether all of the body so far could be sent again. */
  get isWhole(): boolean {
    return this.#whole;
  }

  /** Gives up on sending it again. */
  forget(): void {
    this.#whole = false;
    if (this.#bytes > 0) this.#clear();
  }

  /** A piece was sent on; it is kept while the whole stays small enough. */
  keepForReplay(piece: Buffer): void {
    if (!this.#whole) return;
    if (this.#bytes + piece.length > MAX_BUFFERED) {
      this.forget();
    } else {
      this.add(piece);
    }
  }

  /**
   * Claims room among the bytes that may be held, before they are read, so that the bounds are never exceeded: for all
   * that may come of the body, or at least for what is here.
   * @returns false where not even that has room
   */
  reserve(service: Service, request: RequestHead, done: boolean): boolean {
    const expected = request.framing === Framing.LENGTH ? Math.min(request.length, MAX_BUFFERED) : MAX_BUFFERED;
    const wanted = done || !request.hasBody ? this.#bytes : Math.max(this.#bytes, expected);
    const room = Math.min(
      service.policy.hold.maxBytes - service.heldBytes,
      this.#context.maxHeldBytes - this.#context.heldBytes,
    );
    if (this.#bytes > room) return false;
    this.#reserved = Math.min(wanted, room) < wanted ? this.#bytes : wanted;
    this.#roomy = this.#reserved === wanted;
    this.#small = request.framing === Framing.LENGTH && request.length <= MAX_BUFFERED;
    service.heldBytes += this.#reserved;
    this.#context.heldBytes += this.#reserved;
    return true;
  }

  /** Whether room that others could use is claimed. */
  get holdsBytes(): boolean {
    return this.#reserved > 0;
  }

  unreserve(service: Service): void {
    service.heldBytes -= this.#reserved;
    this.#context.heldBytes -= this.#reserved;
    this.#reserved = 0;
  }

  /** Whether a held request's client is read from: for the rest of a small body, or to notice that it leaves. */
  mayReadOn(done: boolean): boolean {
    // A read may bring 64 KiB at once: there is one where nothing came yet, and more where the rest is known to fit.
    return done || (this.#roomy && (this.#small || this.#bytes === 0));
  }

  /**
   * Writes the head and what is kept of the body.
   * @returns false where the upstream does not keep up
   */
  sendAll(carrier: Carrier, head: string, framing: FramingKind, done: boolean, trailers: string): boolean {
    return carrier.begin(head, this.#pieces, this.#bytes, framing, done, trailers);
  }
}
