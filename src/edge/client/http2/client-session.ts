import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { Members } from '../../../util/members.ts';
import type { DeadlineEntry } from '../../io/deadlines.ts';
import type { IdleConnection, IdleList } from '../../io/idle-connections.ts';
import { own, type SocketOwner } from '../../io/socket-owner.ts';
import type { ClientPeer } from '../client-peer.ts';
import type { ClientContext } from '../context.ts';
import type { ClientConnection, ListenerContext } from '../listener-context.ts';
import { ByteAccount } from './byte-account.ts';
import { Oddities, type Oddity } from './oddities.ts';
import { RequestStream, type StreamEnd, type StreamOwner } from './request-stream.ts';
import { sessionOptions } from './session-options.ts';

/**
 * `silent`: nothing was asked yet. `serving`: there are streams. `idle`: there are none any more. `leaving`: the client
 * was told to ask nothing more here, and the last streams end. `lingering`: all is over, and the client has to close the
 * connection. `closed`.
 */
type Phase = 'silent' | 'serving' | 'idle' | 'leaving' | 'lingering' | 'closed';

/** How long a client may take to close a connection that is over, ms. */
const LINGER_MS = 2000;
/** Errors of Node behind frames that break the rules of HTTP/2, or carry nothing too often. */
const BROKEN_RULES = new Set(['ERR_HTTP2_ERROR', 'ERR_HTTP2_TOO_MANY_INVALID_FRAMES']);
/** How long a client that we take leave of may take to show that it is there, ms. */
const ALIVE_MS = 10_000;
/** Objects for streams that an idle connection keeps. */
const KEPT_WHEN_IDLE = 4;

/** One client's connection of HTTP/2. Its streams are requests of their own, each with its exchange. */
export class ClientSession implements ClientConnection, StreamOwner, DeadlineEntry, IdleConnection, SocketOwner {
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
  readonly #open = new Members<RequestStream>();
  /** Served streams whose objects are used again. */
  #free: RequestStream[] = [];
  /** Streams whose head came within the present turn. */
  #fresh: RequestStream[] = [];
  #requests = 0;
  readonly #oddities: Oddities;
  readonly account: ByteAccount;
  /** Its first SETTINGS came, which has to come. */
  #hasSettings = false;
  #hasPlace = true;
  hasStalled = false;
  /** It has answered since we took leave, or last asked. */
  #isAlive = true;

  /**
   * @param peer the other end, known and counted
   * @param first what came already; the socket is paused then
   */
  constructor(socket: Socket, peer: ClientPeer, context: ClientContext, listener: ListenerContext, first?: Buffer) {
    this.#socket = socket;
    this.peer = peer;
    this.#context = context;
    this.#listener = listener;
    if (first !== undefined) socket.unshift(first);
    if (context.access !== undefined) peer.noteLocalAddress();
    own(socket, this);
    this.#session = performServerHandshake(socket, sessionOptions(listener.limits));
    this.#session.on('error', (error: NodeJS.ErrnoException) => this.#onError(error.code));
    // It is closed when its streams are over: Node would close it when its client says GOAWAY, or when one frame cannot
    // be sent, and answers no question about it from then on.
    this.#session.close = stayOpen;
    this.#session.on('goaway', () => this.#leave());
    this.#session.on('ping', () => this.#onOdd('ping'));
    this.#session.on('remoteSettings', () => this.#onSettings());
    this.#session.on('stream', (stream, _headers, _flags, raw) => this.#onStream(stream, raw));
    listener.connections.add(this);
    listener.open++;
    this.silentSince = context.clock.now();
    this.#oddities = new Oddities(this.silentSince);
    this.account = new ByteAccount(socket, this);
    context.byteWatch.add(this.account);
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
    if (this.#context.draining || (most > 0 && this.#requests >= most)) this.#leave();
  }

  onStreamEnd(stream: RequestStream, end: StreamEnd): void {
    this.#open.delete(stream);
    this.#free.push(stream);
    if (end === 'answered') this.#oddities.makeUp();
    else if (end !== 'cut') this.#onOdd(end);
    if (this.#open.size === 0) this.#onLastStream();
  }

  #onLastStream(): void {
    if (this.#phase === 'leaving') {
      this.#linger();
    } else if (this.#phase === 'serving') {
      this.#phase = 'idle';
      this.#keepFew();
      this.#listener.idle.rest(this);
      this.#context.deadlines.arm(this, this.#listener.timeouts.keepAliveMs);
    }
  }

  /** An idle connection should take little memory. */
  #keepFew(): void {
    for (const each of this.#free.splice(KEPT_WHEN_IDLE)) each.forget();
  }

  get streams(): number {
    return this.#open.size;
  }

  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#queued;
  }

  get isStuck(): boolean {
    return this.#queued > 0;
  }

  /** Bytes that the kernel has yet to take. Node writes past the stream of the socket, straight to its handle. */
  get #queued(): number {
    const { _handle: handle } = this.#socket as unknown as { _handle?: { writeQueueSize?: number } | null };
    return handle?.writeQueueSize ?? 0;
  }

  onStuck(): void {
    this.hasStalled = true;
    this.#countCut('stalled');
    this.#socket.resetAndDestroy();
  }

  // ── odd behaviour ─────────────────────────────────────────────────────────────────────────────────────────────────

  #onSettings(): void {
    if (this.#hasSettings) this.#onOdd('settings');
    else this.#hasSettings = true;
  }

  get unreadBytes(): number {
    let bytes = 0;
    for (const each of this.#open.list()) bytes += each.unreadBytes;
    return bytes;
  }

  onWaste(points: number): void {
    this.#onOdd('waste', points);
  }

  #onOdd(kind: Oddity, points?: number): void {
    if (this.#phase === 'lingering' || this.#phase === 'closed') return;
    const { oddities: limit } = this.#listener.limits.http2;
    if (!this.#oddities.add(kind, limit, this.#context.clock.now(), points)) return;
    this.#countCut(kind);
    this.#break(constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Node ended the session itself, or the socket is broken. */
  #onError(code: string | undefined): void {
    if (code !== undefined && BROKEN_RULES.has(code)) this.#countCut('protocol');
  }

  #countCut(reason: Oddity | 'protocol' | 'stalled'): void {
    const { http2Cut } = this.#context;
    http2Cut.set(reason, (http2Cut.get(reason) ?? 0) + 1);
  }

  // ── end ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The client can be told to go elsewhere, whoever serves it there. */
  drain(): void {
    this.#leave();
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
    this.#phase = 'lingering';
    this.#context.deadlines.arm(this, LINGER_MS);
    this.#session.destroy(code as unknown as Error);
  }

  /**
   * Tells the client to ask nothing more here, and names the last stream that is served. What it sent behind that is its
   * to send elsewhere, which it may, whatever it is (RFC 9113 §6.8). To name none at first, and the last one when the
   * client has heard, is not to be had: Node takes no stream any more once it sent a GOAWAY.
   */
  #leave(): void {
    if (this.#phase !== 'silent' && this.#phase !== 'serving' && this.#phase !== 'idle') return;
    this.#phase = 'leaving';
    this.#listener.idle.leave(this);
    this.#context.deadlines.disarm(this);
    if (this.#open.size === 0) this.#linger();
    else if (!this.#session.destroyed) {
      this.#session.goaway(constants.NGHTTP2_NO_ERROR);
      this.#lookAfter();
    }
  }

  /**
   * Asks a client that we take leave of for a sign of life: once GOAWAY was said, Node may stop reading where the client
   * breaks the rules, and then nothing else tells that it has gone.
   */
  #lookAfter(): void {
    this.#isAlive = false;
    this.#session.ping((error) => {
      if (error === null) this.#isAlive = true;
    });
    this.#context.deadlines.arm(this, ALIVE_MS);
  }

  /** All is over: names the last stream and closes. */
  #linger(): void {
    this.#phase = 'lingering';
    if (this.#hasPlace) this.#listener.idle.end(this);
    this.#context.deadlines.arm(this, LINGER_MS);
    const { close } = Object.getPrototypeOf(this.#session) as ServerHttp2Session;
    close.call(this.#session);
  }

  onDeadline(): void {
    if (this.#phase === 'lingering') this.#socket.destroy();
    else if (this.#phase === 'leaving' && this.#isAlive && !this.#session.destroyed) this.#lookAfter();
    else if (this.#phase === 'leaving') this.#socket.destroy();
    else if (this.#phase === 'silent' || this.#phase === 'idle') this.#leave();
  }

  #losePlace(): void {
    if (!this.#hasPlace) return;
    this.#hasPlace = false;
    this.#listener.idle.leave(this);
    this.#listener.connections.delete(this);
    this.#listener.open--;
  }

  /** A client that ends its side has left: without what it has to say, HTTP/2 comes to a stop. */
  onEnd(): void {
    this.#socket.destroy();
  }

  onClosed(): void {
    if (this.#phase === 'closed') return;
    this.#phase = 'closed';
    this.#context.byteWatch.delete(this.account);
    for (const each of this.#open.list()) each.onClose();
    this.#losePlace();
    this.peer.leave();
    for (const each of this.#free) each.forget();
    this.#context.deadlines.forget(this);
  }
}

function stayOpen(): void {}

function beginFresh(session: ClientSession): void {
  session.beginFresh();
}
