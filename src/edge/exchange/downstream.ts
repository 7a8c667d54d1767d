import type { AccessRecord } from '../../model/access.ts';
import type { OwnAnswer } from '../answer/own-answer.ts';
import type { FaultText } from '../http1/faults.ts';
import type { RequestHead } from '../http1/request.ts';
import type { ResponseHead } from '../http1/response.ts';
import type { Ends } from '../io/proxy-header.ts';

/** How a client's bytes come: in clear text, or through TLS. */
export type Scheme = 'http' | 'https';

/** What is known of TLS that was ended here. */
export interface TlsFacts {
  /** `TLSv1.3`. */
  readonly version: string;
  /** By its name of the standard, `TLS_AES_128_GCM_SHA256`. */
  readonly cipher: string;
  /** Of the client's certificate, verified; undefined: it has shown none. */
  readonly client: ClientCertificate | undefined;
  /** By which rules of the listener the handshake was made: the names that have them; empty: those of the listener. */
  readonly rules: string;
}

/** What a service is told of a client's certificate. All of it may stand in a field of HTTP. */
export interface ClientCertificate {
  /** RFC 4514, the most specific part first. */
  readonly subject: string;
  /** Its number with its authority, hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string;
}

/** The other end of a client's connection, and how it came. It is the same for all requests on the connection. */
export interface Peer {
  /** Its address, or the one that its PROXY header names; IPv4 where it is IPv4-mapped. */
  readonly address: string;
  readonly port: number;
  /** Whether its forwarding fields are believed. The present configuration decides, however old the connection is. */
  readonly trusted: boolean;
  /** The scheme by which the client came to the first proxy that we know of. */
  readonly scheme: Scheme;
  /** Name of the listener that it came to; empty: that has none. */
  readonly listener: string;
  /** Requests are sent to this port by https; 0: they are served. */
  readonly httpsPort: number;
  /** What HTTP-01 asks for, by token (RFC 8555 §8.3); undefined: nobody does at present. */
  readonly acmeAnswers: Readonly<Record<string, string>> | undefined;
  /** Whether clients of the listener are asked for a certificate. */
  readonly asksClients: boolean;
  /** Undefined: the connection is in clear text. */
  readonly tls: TlsFacts | undefined;
  /** Whether other rules for handshakes hold for a host than for this connection, which has TLS. @param host lower case */
  isMisdirected(host: string): boolean;
  /** Port that the client connected to there. */
  readonly forwardedPort: number;
  /** Address that the client connected to here, host:port. */
  readonly localAddress: string;
  /** Both ends of its connection, for a PROXY header. */
  readonly ends: Ends;
  /** "The client" of a request: the rightmost untrusted address. */
  clientOf(request: RequestHead): string;
  /** Returns forwarding fields for the upstream, for a peer that sends none or whose own are not believed. */
  forwardingFields(host: string): string;
  /** Its forwarding fields are dropped. Tells the operator, who may not know. */
  onUntrustedForwarding(): void;
}

/** The body of a request, as far as it came. */
export interface IncomingBody {
  /** It has come to its end. */
  readonly done: boolean;
  /** Trailer fields, checked; each ends with CRLF. */
  readonly trailers: string;
  /** The rule that a broken body breaks. */
  readonly fault: FaultText;
}

/**
 * What the request path needs of a client: one request, its body as it comes, and a place for the answer. A connection
 * of HTTP/1.1 plays this part for each of its requests in turn; a stream of HTTP/2 would for its only one. The
 * implementation decides how an answer is framed, what its connection does afterwards, and how it closes.
 */
export interface Downstream {
  readonly request: RequestHead;
  /** Version of HTTP that the request came in. */
  readonly version: AccessRecord['version'];
  readonly body: IncomingBody;
  readonly peer: Peer;
  readonly answer: AnswerWriter;
  /** The client has closed its sending side. It may have left, which nothing would tell. */
  readonly hasEnded: boolean;
  /** The client holds its body back until it is told to go on. */
  readonly awaitsContinue: boolean;
  /** It may pause within its body as long as it likes: it may wait for what the service says. */
  readonly mayPause: boolean;
  /** Reads no more of the body until it is resumed. */
  pauseReading(): void;
  resumeReading(): void;
  /** Tells the client to go on with its body. */
  sayContinue(): void;
  /** The service has told the client to go on. */
  onContinue(): void;
  /** Takes no other request from this client, not even one that it has sent already. */
  takeNoMore(): void;
  /** Hands over the bytes that came behind the request, for a tunnel. */
  takePending(): Buffer | undefined;
  /**
   * The exchange is over and its answer written.
   * @param now the clock's ms, where the caller has just asked it
   */
  finish(now?: number): void;
  /** Ends what is under way without an orderly end. */
  abort(): void;
}

/** Writes an answer. A returned `false` means that the client does not keep up; then `onClientDrain` follows. */
export interface AnswerWriter {
  /** Bytes sent so far, in all and of heads. */
  readonly bytes: number;
  readonly headBytes: number;
  /** The client has yet to take a part of what was written. */
  readonly isBehind: boolean;
  /** Passes an interim response (1xx) on (RFC 9110 §15.2); gathered. */
  interim(response: ResponseHead): void;
  /**
   * Passes the head of the answer on; gathered.
   * @param added field lines of ours, each ending with CRLF
   */
  head(response: ResponseHead, added: string): void;
  /** Passes a 101 on. From here on, bytes pass unchanged. */
  switchProtocols(response: ResponseHead, added: string): void;
  /** Writes a piece of the body; small ones are gathered. The bytes are copied or written before this returns. */
  piece(bytes: Buffer, start: number, end: number): boolean;
  /** Writes bytes of a tunnel, as `piece` does. */
  raw(bytes: Buffer, start: number, end: number): boolean;
  /** The body is complete: sends all that is left. @param trailers field lines */
  end(trailers: string): boolean;
  /** Sends what was gathered. */
  flush(): boolean;
  /** Writes a whole answer of ours, or the head of one that is a stream. */
  own(answer: OwnAnswer, requestId: string, date: string): void;
  /** Writes more of a stream of ours, or the last bytes of a tunnel. They are not counted. */
  write(data: string | Buffer): boolean;
  /** The service has ended its side of a tunnel: tells the client. */
  endTunnel(): void;
  /** The answer broke off. Makes the client see that it is not complete. */
  breakOff(): void;
}
