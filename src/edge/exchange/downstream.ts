import type { AccessRecord } from '../../model/access.ts';
import type { OwnAnswer } from '../answer/own-answer.ts';
import type { FaultText } from '../http1/faults.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ResponseHead } from '../http1/response.ts';

/** How a client's bytes come: in clear text, or through TLS. */
export type Scheme = 'http' | 'https';

/** Who is at the other end of a client's connection, and how it came: the same for all requests on it. */
export interface Peer {
  /** Its address, or the one that its PROXY header names; IPv4 where it is IPv4-mapped. */
  readonly address: string;
  readonly port: number;
  /** Whether its forwarding fields are believed: by the configuration as it is now, however old the connection. */
  readonly trusted: boolean;
  /** By what scheme the client came to the first proxy that we know of. */
  readonly scheme: Scheme;
  /** Port that the client connected to there. */
  readonly forwardedPort: number;
  /** Address that the client connected to here, host:port. */
  readonly localAddress: string;
  /** "The client" of a request: the rightmost untrusted address. */
  clientOf(request: RequestHead): string;
  /** Forwarding fields for the upstream where the peer's own are not believed, or there are none. */
  forwardingFields(host: string): string;
  /** Its forwarding fields are dropped, which its operator may not know. */
  onUntrustedForwarding(): void;
}

/** The body of a request, as far as it came. */
export interface IncomingBody {
  /** It is here to its end. */
  readonly done: boolean;
  /** Trailer fields, checked; each ends with CRLF. */
  readonly trailers: string;
  /** What a broken body breaks. */
  readonly fault: FaultText;
}

/**
 * What the request path needs of a client: one request, its body as it comes, and where its answer goes. A connection of
 * HTTP/1.1 is one for each of its requests in turn; a stream of HTTP/2 would be one for its only request. How an answer
 * is framed, what a connection does after it and how it closes is the implementation's to know.
 */
export interface Downstream {
  readonly request: RequestHead;
  /** Version of HTTP that the request came in. */
  readonly version: AccessRecord['version'];
  readonly body: IncomingBody;
  readonly peer: Peer;
  readonly answer: AnswerWriter;
  /** The client has closed its sending side: it may have left, which nothing would tell. */
  readonly hasEnded: boolean;
  /** The client holds its body back until it is told to go on. */
  readonly awaitsContinue: boolean;
  /** Takes no more of the body, until it is resumed. */
  pauseReading(): void;
  resumeReading(): void;
  /** Tells the client to go on with its body. */
  sayContinue(): void;
  /** The service has told the client to go on. */
  onContinue(): void;
  /** No other request is taken from this client: nothing that it sent behind this one is served. */
  takeNoMore(): void;
  /** Bytes that came behind the request, for a tunnel that takes them over. */
  takePending(): Buffer | undefined;
  /**
   * The exchange is over and its answer written.
   * @param now the clock's ms, where the caller has just asked it
   */
  finish(now?: number): void;
  /** Ends what is under way without an orderly end. */
  abort(): void;
}

/** Where an answer goes. What returns a boolean tells whether the client keeps up with it; else `onClientDrain` follows. */
export interface AnswerWriter {
  /** Bytes sent so far, in all and of heads. */
  readonly bytes: number;
  readonly headBytes: number;
  /** The client has still to take something of what was written. */
  readonly isBehind: boolean;
  /** Passes an interim response (1xx) on (RFC 9110 §15.2); gathered. */
  interim(response: ResponseHead): void;
  /**
   * Passes the head of the answer on; gathered.
   * @param added field lines of ours, each ending with CRLF
   */
  head(response: ResponseHead, added: string): void;
  /** Passes a 101 on: from here on bytes pass as they are. */
  switchProtocols(response: ResponseHead, added: string): void;
  /** A piece of the body; small ones are gathered. Its bytes are copied, or written, before this returns. */
  piece(bytes: Buffer, start: number, end: number): boolean;
  /** Bytes of a tunnel. As `piece`. */
  raw(bytes: Buffer, start: number, end: number): boolean;
  /** The body is complete: sends all that is left. @param trailers field lines */
  end(trailers: string): boolean;
  /** Sends what was gathered. */
  flush(): boolean;
  /** A whole answer of ours, or the head of one that is a stream. */
  own(answer: OwnAnswer, requestId: string, date: string): void;
  /** More of a stream of ours, or the last bytes of a tunnel: not counted. */
  write(data: string | Buffer): boolean;
  /** The service has ended its side of a tunnel. */
  endTunnel(): void;
  /** The answer broke off, and the client has to see that: it must not look complete. */
  breakOff(): void;
}
