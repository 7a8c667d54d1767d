import { type ClientHttp2Session, type ClientHttp2Stream, connect, type Settings } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Fault, type FaultText } from '../../http1/faults.ts';
import type { FieldList } from '../../http2/field-list.ts';
import { own, type SocketOwner } from '../../io/socket-owner.ts';
import type { UpstreamFailure } from '../carrier.ts';
import { dial, dialFault } from '../dial.ts';
import type { Destination, OpenConnection } from '../upstream-connection.ts';

/**
 * `connecting`: up to the endpoint's SETTINGS, which show that it speaks HTTP/2. `open`: takes requests. `leaving`: those
 * under way end, and no others come. `closed`.
 */
type Phase = 'connecting' | 'open' | 'leaving' | 'closed';

/** Why a session did not come about. */
export interface SessionFault {
  failure: UpstreamFailure;
  reason: string;
  errorCode: string;
  fault: FaultText | undefined;
}

/** Who keeps the sessions of an endpoint. */
export interface SessionOwner {
  /** It takes requests, or more of them than before. */
  onRoom(session: UpstreamSession): void;
  /** It could not be opened. */
  onSessionFailed(session: UpstreamSession, fault: SessionFault): void;
  /** It takes no more requests, or is closed. @param isLost it closed unasked */
  onSessionLeft(session: UpstreamSession, isLost: boolean): void;
  /** The last request on it has ended. */
  onSessionIdle(session: UpstreamSession): void;
}

/** Most requests at once on one session, however many the endpoint takes: a lost connection loses no more. */
const MAX_STREAMS = 250;
/** What all streams of a session may have under way to us, bytes; each on its own has a window of 64 KiB. */
const SESSION_WINDOW = 4 * 1024 * 1024;
/** Fields beyond the limit that are read, so that a little too many are refused by name. */
const SPARE_PAIRS = 16;
/** Bytes of a head that we send: more than any is. Node would end the whole session. */
const MOST_SENT = 64 * 1024 * 1024;
/** Bytes of the tables by which fields are compressed, of either side (RFC 7541 §4.2). */
const HEADER_TABLE = 4096;

/** A session that has brought nothing for so long after a request on it was given up takes no others, ms. */
const SILENT_MS = 10_000;

/** One connection of HTTP/2 to an endpoint. Its streams are requests of their own. */
export class UpstreamSession implements OpenConnection, SocketOwner {
  place = 0;
  /** Requests under way, and those that are about to be sent. */
  streams = 0;
  /** Requests that were sent. */
  served = 0;
  /** When the last request came, the clock's ms. */
  takenAt = 0;
  /** Since when there is no request, the clock's ms; undefined: not told yet. */
  idleSince: number | undefined;
  readonly #owner: SessionOwner;
  readonly #destination: Destination;
  readonly #socket: Socket;
  #session: ClientHttp2Session | undefined;
  #phase: Phase = 'connecting';
  #isAccepted = false;
  /** The last stream that the endpoint has done something about, where it said so. */
  #lastStream: number | undefined;

  /** A request was given up without an answer: how much had been read by then, and since when that is known. */
  #doubt: { readonly bytesRead: number; since: number | undefined } | undefined;

  constructor(owner: SessionOwner, destination: Destination) {
    this.#owner = owner;
    this.#destination = destination;
    destination.connections.add(this);
    const socket = dial(destination);
    this.#socket = socket;
    own(socket, this);
    if (this.isSecure) socket.once('secureConnect', () => this.#onSecure(socket as TLSSocket));
  }

  get isOpen(): boolean {
    return this.#phase === 'open' && this.#session?.closed === false;
  }

  get isConnecting(): boolean {
    return this.#phase === 'connecting';
  }

  /** Whether it takes another request. */
  get hasRoom(): boolean {
    if (!this.isOpen) return false;
    const { maxConcurrentStreams = MAX_STREAMS } = (this.#session as ClientHttp2Session).remoteSettings;
    return this.streams < Math.min(MAX_STREAMS, maxConcurrentStreams);
  }

  /** Whether the endpoint opens tunnels (RFC 8441 §3). */
  get opensTunnels(): boolean {
    return this.#session?.remoteSettings.enableConnectProtocol === true;
  }

  get isSecure(): boolean {
    return this.#destination.transport?.tls !== undefined;
  }

  get limits(): Destination['limits'] {
    return this.#destination.limits;
  }

  /** Whether the endpoint has said that it did nothing about a stream. @param id undefined: the stream was never sent */
  hasReturned(id: number | undefined): boolean {
    return id === undefined || (this.#lastStream !== undefined && id > this.#lastStream);
  }

  /**
   * Sends a request.
   * @param ended nothing follows its head
   * @param mayTrail trailers may
   * @returns undefined where the session takes none any more
   */
  request(list: FieldList, ended: boolean, mayTrail: boolean): ClientHttp2Stream | undefined {
    if (!this.isOpen) return undefined;
    this.served++;
    try {
      const options = { endStream: ended, waitForTrailers: mayTrail };
      return (this.#session as ClientHttp2Session).request(list as unknown as undefined, options);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_HTTP2_OUT_OF_STREAMS') this.leave();
      return undefined;
    }
  }

  /** A request on it was given up before any answer: the other end may have gone without a word. */
  doubt(): void {
    this.#doubt ??= { bytesRead: this.#socket.bytesRead, since: undefined };
  }

  /** Whether nothing at all has come since then, for so long that others had better go another way. */
  isSilent(now: number): boolean {
    const doubt = this.#doubt;
    if (doubt === undefined) return false;
    if (this.#socket.bytesRead !== doubt.bytesRead) {
      this.#doubt = undefined;
      return false;
    }
    doubt.since ??= now;
    return now - doubt.since >= SILENT_MS;
  }

  /** A request on it is over. */
  release(): void {
    this.streams--;
    if (this.#phase === 'closed') return;
    if (this.streams === 0) this.#owner.onSessionIdle(this);
    if (this.streams === 0 && this.#phase === 'leaving') this.close();
    else if (this.hasRoom) this.#owner.onRoom(this);
  }

  /** Takes no more requests, and closes behind the last one. */
  leave(): void {
    if (this.#phase !== 'open') return;
    this.#phase = 'leaving';
    this.#owner.onSessionLeft(this, false);
    if (this.streams === 0) this.close();
  }

  /** Closes it in order. */
  close(): void {
    if (this.#session === undefined || this.#session.closed) this.destroy();
    else this.#session.close();
  }

  /** Ends it at once, and with it what is under way. */
  destroy(): void {
    if (this.#phase === 'closed') return;
    this.#end();
    this.#owner.onSessionLeft(this, false);
  }

  #end(): void {
    this.#phase = 'closed';
    this.#destination.connections.delete(this);
    this.#session?.destroy();
    this.#socket.destroy();
  }

  // ── coming about ──────────────────────────────────────────────────────────────────────────────────────────────────

  onConnect(): void {
    this.#isAccepted = true;
    if (!this.isSecure) this.#begin();
  }

  #onSecure(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') this.#begin();
    else this.#refuse('tls', 'it does not speak HTTP/2 there (ALPN)');
  }

  #begin(): void {
    if (this.#phase !== 'connecting') return;
    const { limits } = this.#destination;
    const session = connect('http://localhost', {
      createConnection: () => this.#socket,
      maxHeaderListPairs: limits.fields + SPARE_PAIRS,
      maxDeflateDynamicTableSize: HEADER_TABLE,
      maxSendHeaderBlockLength: MOST_SENT,
      // Clients send fields more than once that should be there once; so do we in HTTP/1.1.
      strictSingleValueFields: false,
      settings: { headerTableSize: HEADER_TABLE, maxHeaderListSize: limits.head, enablePush: false },
    } as Parameters<typeof connect>[1]);
    this.#session = session;
    session.on('connect', () => session.setLocalWindowSize(SESSION_WINDOW));
    session.on('remoteSettings', (settings) => this.#onSettings(settings));
    session.on('goaway', (_code, lastStream) => this.#onGoaway(lastStream));
    // What ends it is told by its streams and by the close of the socket.
    session.on('error', (error: NodeJS.ErrnoException) => this.#onSessionError(error));
    session.on('close', () => this.onClosed());
  }

  #onSettings(_: Settings): void {
    if (this.#phase === 'connecting') {
      this.#phase = 'open';
      this.#destination.wasReached = true;
    }
    if (this.hasRoom) this.#owner.onRoom(this);
  }

  onError(error: NodeJS.ErrnoException): void {
    if (this.#phase !== 'connecting' || this.#session !== undefined) return;
    const { failure, reason } = dialFault(error, this.#isAccepted, this.#destination);
    this.#refuse(failure, reason, undefined, error.code);
  }

  #onSessionError({ code }: NodeJS.ErrnoException): void {
    if (this.#phase !== 'connecting') return;
    const isNonsense = code?.startsWith('ERR_HTTP2') === true;
    this.#refuse(isNonsense ? 'protocol' : 'reset', '', isNonsense ? Fault.NO_HTTP2 : undefined, code);
  }

  #refuse(failure: UpstreamFailure, reason: string, fault?: FaultText, errorCode = ''): void {
    this.#end();
    this.#owner.onSessionFailed(this, { failure, reason, fault, errorCode });
  }

  // ── end ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  #onGoaway(lastStream: number): void {
    this.#lastStream = Math.min(lastStream, this.#lastStream ?? lastStream);
    this.leave();
  }

  /** An endpoint that ends its side takes no requests any more, and HTTP/2 needs both. */
  onEnd(): void {
    if (this.#phase !== 'connecting') this.#socket.destroy();
  }

  /** All is sent, our end included: an endpoint that leaves its side open would keep the socket for ever. */
  onFinish(): void {
    this.#socket.destroy();
  }

  onClosed(): void {
    if (this.#phase === 'closed') return;
    if (this.#phase === 'connecting') {
      // It took the connection and said nothing; or it answered something that is no HTTP/2.
      const { bytesRead } = this.#socket;
      if (bytesRead > 0 && this.#session !== undefined) this.#refuse('protocol', '', Fault.NO_HTTP2);
      else if (this.isSecure && this.#isAccepted && this.#session === undefined) {
        this.onError({ code: 'ECONNRESET' } as NodeJS.ErrnoException);
      } else this.#refuse('reset', '');
      return;
    }
    const isUnasked = this.#phase === 'open' || this.#lastStream !== undefined;
    this.#end();
    this.#owner.onSessionLeft(this, isUnasked);
  }
}
