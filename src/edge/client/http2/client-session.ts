import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { DeadlineEntry } from '../../io/deadlines.ts';
import type { ClientPeer } from '../client-peer.ts';
import type { ClientContext } from '../context.ts';
import type { IdleConnection, IdleList } from '../idle-connections.ts';
import type { ClientConnection, ListenerContext } from '../listener-context.ts';
import { RequestStream, type StreamEnd, type StreamOwner } from './request-stream.ts';
import { sessionOptions } from './session-options.ts';

/**
 * `silent`: nothing was asked yet. `serving`: there are streams. `idle`: there are none any more. `announced`: the
 * client was told to ask nothing more here, and what it sent before it heard is still served. `leaving`: no new stream
 * is taken, and the last ones end. `lingering`: all is over, and the client has to close the connection. `closed`.
 */
type Phase = 'silent' | 'serving' | 'idle' | 'announced' | 'leaving' | 'lingering' | 'closed';

/** How long a client that was told to ask nothing more may take to have heard it, ms. */
const HEARD_MS = 1000;
/** How long a client may take to close a connection that is over, ms. */
const LINGER_MS = 2000;
/** Names no stream: all that the client has sent are served (RFC 9113 §6.8). */
const ALL_STREAMS = 2 ** 31 - 1;

/** One client's connection of HTTP/2. Its streams are requests of their own, each with its exchange. */
export class ClientSession implements ClientConnection, StreamOwner, DeadlineEntry, IdleConnection {
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  place = 0;
  previousIdle: IdleConnection | undefined;
  nextIdle: IdleConnection | undefined;
  idleIn: IdleList | undefined;
  silentSince: number;
  readonly peer: ClientPeer;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  #phase: Phase = 'silent';
  /** Streams that are open. */
  readonly #open = new Set<RequestStream>();
  /** Served streams whose objects are used again. */
  readonly #free: RequestStream[] = [];
  /** Streams whose head came within the present turn. */
  #fresh: RequestStream[] = [];
  #requests = 0;
  #hasPlace = true;

  /**
   * @param peer the other end, known and counted
   * @param first what came already
   */
  constructor(socket: Socket, peer: ClientPeer, context: ClientContext, listener: ListenerContext, first?: Buffer) {
    this.#socket = socket;
    this.peer = peer;
    this.#context = context;
    this.#listener = listener;
    if (first !== undefined) {
      // Otherwise they would flow to nobody.
      socket.pause();
      socket.unshift(first);
    }
    if (context.access !== undefined) peer.noteLocalAddress();
    socket.on('close', () => this.#onClose());
    this.#session = performServerHandshake(socket, sessionOptions(listener.limits));
    this.#session.on('error', () => {});
    this.#session.on('stream', (stream, _headers, _flags, raw) => this.#onStream(stream, raw));
    listener.connections.add(this);
    listener.open++;
    this.silentSince = context.clock.now();
    listener.idle.open(this);
    context.deadlines.arm(this, listener.timeouts.headMs, this.silentSince);
  }

  // ── streams ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A request came. It is served when the read that brought it is over: what is reset within the same read reaches no
   * service (CVE-2023-44487).
   */
  #onStream(stream: ServerHttp2Stream, raw: readonly string[]): void {
    if (this.#phase === 'silent' || this.#phase === 'idle') {
      this.#phase = 'serving';
      this.#listener.idle.leave(this);
      this.#context.deadlines.disarm(this);
    }
    const each = this.#free.pop() ?? new RequestStream(this, this.#context, this.#listener);
    this.#open.add(each);
    each.take(stream, raw);
    if (this.#fresh.push(each) === 1) setImmediate(beginFresh, this);
  }

  /** Serves what came. */
  beginFresh(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const each of fresh) each.begin();
  }

  onServed(): void {
    this.#requests++;
    const most = this.#listener.limits.requests;
    if (this.#context.draining || (most > 0 && this.#requests >= most)) this.#announce();
  }

  onStreamEnd(stream: RequestStream, _end: StreamEnd): void {
    this.#open.delete(stream);
    this.#free.push(stream);
    if (this.#open.size === 0) this.#onLastStream();
  }

  #onLastStream(): void {
    if (this.#phase === 'leaving') {
      this.#linger();
    } else if (this.#phase === 'serving') {
      this.#phase = 'idle';
      this.#listener.idle.rest(this);
      this.#context.deadlines.arm(this, this.#listener.timeouts.keepAliveMs);
    }
  }

  // ── end ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  drain(): void {
    this.#announce();
  }

  abort(): void {
    this.#socket.destroy();
  }

  giveWay(isNew: boolean): void {
    this.#losePlace();
    this.#break(isNew ? constants.NGHTTP2_ENHANCE_YOUR_CALM : constants.NGHTTP2_NO_ERROR);
  }

  /** The client has too many connections. */
  refuse(): void {
    this.#break(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Ends everything with GOAWAY. Node takes the code in place of an error, which its types do not know. */
  #break(code: number): void {
    this.#session.destroy(code as unknown as Error);
  }

  /**
   * Tells the client to ask nothing more here. What it sent before it heard that is served: the last stream is named
   * only when it must have heard (RFC 9113 §6.8).
   */
  #announce(): void {
    if (this.#phase !== 'silent' && this.#phase !== 'serving' && this.#phase !== 'idle') return;
    this.#phase = 'announced';
    this.#listener.idle.leave(this);
    this.#session.goaway(constants.NGHTTP2_NO_ERROR, ALL_STREAMS);
    this.#session.ping(() => this.#leave());
    this.#context.deadlines.arm(this, HEARD_MS);
  }

  /** The client has heard that it is to ask nothing more. */
  #leave(): void {
    if (this.#phase !== 'announced') return;
    this.#phase = 'leaving';
    this.#context.deadlines.disarm(this);
    if (this.#open.size === 0) this.#linger();
    else this.#session.goaway(constants.NGHTTP2_NO_ERROR);
  }

  /** All is over: names the last stream and closes. */
  #linger(): void {
    this.#phase = 'lingering';
    if (this.#hasPlace) this.#listener.idle.end(this);
    this.#context.deadlines.arm(this, LINGER_MS);
    this.#session.close();
  }

  onDeadline(): void {
    if (this.#phase === 'announced') this.#leave();
    else if (this.#phase === 'lingering') this.#socket.destroy();
    else if (this.#phase === 'silent' || this.#phase === 'idle') this.#announce();
  }

  #losePlace(): void {
    if (!this.#hasPlace) return;
    this.#hasPlace = false;
    this.#listener.idle.leave(this);
    this.#listener.connections.delete(this);
    this.#listener.open--;
  }

  #onClose(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    for (const each of [...this.#open]) each.onClose();
    this.#losePlace();
    this.peer.leave();
    for (const each of this.#free) each.forget();
    this.#context.deadlines.forget(this);
  }
}

function beginFresh(session: ClientSession): void {
  session.beginFresh();
}
