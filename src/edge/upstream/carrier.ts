import type { FaultText } from '../http1/faults.ts';
import type { FramingKind } from '../http1/framing.ts';
import type { ResponseHead } from '../http1/response.ts';

/**
 * Why a request was not answered. `want`: the proxy itself lacked something, and the other end has no part in it. `tls`:
 * the handshake failed. `unprocessed`: the endpoint said that it has done nothing about the request. `tunnel`: it was
 * asked for a tunnel that it has no way to open.
 */
export type UpstreamFailure = 'refused' | 'timeout' | 'reset' | 'protocol' | 'want' | 'tls' | 'unprocessed' | 'tunnel';

/** The same in words. */
export const failureWords: Readonly<Record<UpstreamFailure, string>> = {
  refused: 'connection refused',
  timeout: 'no connection in time',
  reset: 'the connection was closed without an answer',
  protocol: 'an answer that is not HTTP',
  want: 'cannot be connected to: this machine or process has too many connections',
  tls: 'the TLS handshake failed',
  unprocessed: 'it takes no more requests on the connection',
  tunnel: 'it opens no tunnels over HTTP/2',
};

/** Whether a text is a failure, and not one of the words for something else. */
export function isFailure(text: string): text is UpstreamFailure {
  return Object.hasOwn(failureWords, text);
}

/** Whoever opens a way to an endpoint. It is told once. */
export interface UpstreamOpener {
  onConnected(carrier: Carrier): void;
  /** It could not be opened; it is closed already. */
  onUpstreamFailure(carrier: Carrier, failure: UpstreamFailure): void;
}

/** Whoever sends a request: an exchange or a probe. Calls come in the order of the response's parts. */
export interface UpstreamConsumer {
  /** Method of the request that was sent: it decides whether a body follows (RFC 9112 §6.3). */
  readonly method: string;
  /** A head is complete (`carrier.response`), an interim one included. */
  onResponseHead(carrier: Carrier): void;
  /** Content. The bytes are only valid during the call. */
  onResponseBody(bytes: Buffer, start: number, end: number): void;
  /** The response is complete. An incomplete one is a failure. */
  onResponseEnd(carrier: Carrier): void;
  /** All bytes of one read are handed over, so what was gathered can be written. */
  onReadEnd(): void;
  /** The upstream takes more request body again. */
  onUpstreamDrain(): void;
  /** The upstream ended its side of a tunnel. */
  onTunnelEnd(): void;
  /** The request gets no answer, or no whole one; the carrier is closed already. */
  onUpstreamFailure(carrier: Carrier, failure: UpstreamFailure): void;
}

/** How far a carrier is. `idle`: connected, and nothing was asked yet, or all was answered. */
export type CarrierPhase = 'connecting' | 'idle' | 'head' | 'body' | 'tunnel' | 'closed';

/**
 * What carries a request to an endpoint and its answer back: a connection of HTTP/1.1, or a stream of HTTP/2. Heads are
 * those of HTTP/1.1 on this side of it.
 */
export interface Carrier {
  readonly response: ResponseHead;
  /** Trailer fields of the answer, checked; each ends with CRLF. */
  readonly trailers: string;
  /** What the answer broke, when it cannot be trusted. */
  readonly fault: FaultText | undefined;
  /** Why there is no connection, for the operator, where there is more to say than what failed; else empty. */
  readonly reason: string;
  /** The system's code, when the failure is `want`. */
  readonly errorCode: string;
  /** Requests that went before this one on what it was taken from: with any, its end may have come just now. */
  readonly uses: number;
  readonly phase: CarrierPhase;
  /** Whether a request may be sent on it. */
  readonly usable: boolean;
  /** Whether any byte of a response came, even of an interim one. Such a request is not sent again. */
  readonly isAnswering: boolean;
  /** The endpoint may say that it has done nothing about a request that was sent, so the body is kept where it can be. */
  readonly mayGiveBack: boolean;
  /** The upstream has ended its side. */
  readonly hasEnded: boolean;
  /** Whether the upstream may have closed it just now. @param now the clock's ms */
  mayBeStale(now: number): boolean;
  /** Takes it for one request, which is sent next. */
  take(consumer: UpstreamConsumer): void;
  /** Passes bytes through unchanged from here on, after a 101. */
  tunnel(): void;
  /**
   * Sends a head and what has come of its body so far.
   * @param head of HTTP/1.1, with its empty line
   * @param pieces of the body, `bytes` in all
   * @param done whether this is the whole body
   * @returns false when the upstream does not keep up
   */
  begin(
    head: string,
    pieces: readonly Buffer[],
    bytes: number,
    framing: FramingKind,
    done: boolean,
    trailers: string,
  ): boolean;
  /**
   * Sends a piece of a body, or bytes of a tunnel.
   * @param read the buffer of the read that ends with this piece, if nobody needs it any more
   * @returns false when the upstream does not keep up
   */
  send(piece: Buffer, framing: FramingKind, read?: Buffer): boolean;
  /** Sends the end of a body where its framing has one. */
  sendEnd(framing: FramingKind, trailers: string): void;
  /** Ends our side of a tunnel. */
  endTunnel(): void;
  pauseReading(): void;
  resumeReading(): void;
  /**
   * The answer is complete: keeps what can serve another request, and closes the rest.
   * @param isSent whether the request went out whole
   * @param now the clock's ms
   */
  giveBack(isSent: boolean, now: number): void;
  /** Closes it without telling anybody. */
  destroy(): void;
}
