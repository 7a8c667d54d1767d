import type { Socket } from 'node:net';
import type { BlockLimits } from '../../http2/field-decoder.ts';
import type { FieldList } from '../../http2/field-list.ts';
import { FrameReader } from '../../http2/frame-reader.ts';
import { ErrorCode, goawayFrame, Setting, settingsFrame } from '../../http2/frames.ts';
import type { DeadlineEntry } from '../../io/deadlines.ts';
import type { IdleConnection, IdleList } from '../../io/idle-connections.ts';
import { readShared } from '../../io/shared-read.ts';
import { own, type SocketOwner } from '../../io/socket-owner.ts';
import type { ClientPeer } from '../client-peer.ts';
import type { ClientContext } from '../context.ts';
import type { ClientConnection, ListenerContext } from '../listener-context.ts';
import { SendWatch } from '../send-watch.ts';
import { ByteAccount } from './byte-account.ts';
import { FrameHandler, type HandlerOwner } from './frame-handler.ts';
import { FrameSender, type SenderOwner } from './frame-sender.ts';
import { Oddities, type Oddity } from './oddities.ts';
import { ReadTurns } from './read-turns.ts';
import { RequestStream, type StreamEnd, type StreamOwner } from './request-stream.ts';

/**
 * `silent`: nothing was asked yet. `serving`: there are streams. `idle`: there are none any more. `leaving`: the client
 * was told to ask nothing more here, and the last streams end. `lingering`: all is over, and the client has to close the
 * connection. `closed`.
 */
type Phase = 'silent' | 'serving' | 'idle' | 'leaving' | 'lingering' | 'closed';

/** How long a client may take to close a connection that is over, ms. */
const LINGER_MS = 2000;
/** Objects for streams that an idle connection keeps. */
const KEPT_WHEN_IDLE = 4;
/** Fields beyond `limits.fields` that are read, so that a little too many are answered with 431: crumbs of Cookie too. */
const SPARE_PAIRS = 64;

/** One client's connection of HTTP/2. Its streams are requests of their own, each with its exchange. */
export class ClientSession
  implements ClientConnection, StreamOwner, HandlerOwner, SenderOwner, DeadlineEntry, IdleConnection, SocketOwner
{
  deadline = 0;
  filed = 0;
  slotPlace = 0;
  place = 0;
  previousIdle: IdleConnection | undefined;
  nextIdle: IdleConnection | undefined;
  idleIn: IdleList | undefined;
  silentSince: number;
  readonly peer: ClientPeer;
  readonly sender: FrameSender;
  readonly account: ByteAccount;
  readonly blockLimits: BlockLimits;
  hasStalled = false;
  readonly #socket: Socket;
  readonly #reader: FrameReader;
  readonly #turns: ReadTurns;
  readonly #handler: FrameHandler;
  readonly #context: ClientContext;
  readonly #listener: ListenerContext;
  readonly #oddities: Oddities;
  #phase: Phase = 'silent';
  /** Served streams whose objects are used again. */
  #free: RequestStream[] = [];
  /** Streams whose head came within the present turn. */
  #fresh: RequestStream[] = [];
  /** Bytes of their heads. */
  #freshBytes = 0;
  #requests = 0;
  #hasPlace = true;
  /** Where the client has yet to take the last of its answers when all is over. */
  #lastWatch: SendWatch | undefined;

  /**
   * @param peer the other end, known and counted
   * @param first what came already
   */
  constructor(socket: Socket, peer: ClientPeer, context: ClientContext, listener: ListenerContext, first?: Buffer) {
    const { head, fields, http2 } = listener.limits;
    this.#socket = socket;
    this.peer = peer;
    this.#context = context;
    this.#listener = listener;
    this.blockLimits = { bytes: head, pairs: fields + SPARE_PAIRS };
    this.sender = new FrameSender(socket, this);
    this.#handler = new FrameHandler(this);
    this.#reader = new FrameReader(this.#handler);
    this.#turns = new ReadTurns(socket, this.#reader, context.clock, this);
    if (context.access !== undefined) peer.noteLocalAddress();
    own(socket, this);
    // Its frames are put together already, and must not wait for an acknowledgement (RFC 896).
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    listener.connections.add(this);
    listener.open++;
    this.silentSince = context.clock.now();
    this.#oddities = new Oddities(this.silentSince);
    this.account = new ByteAccount(socket, this);
    context.byteWatch.add(this.account);
    listener.idle.open(this);
    context.deadlines.arm(this, listener.timeouts.headMs, this.silentSince);
    this.sender.control(
      settingsFrame([
        [Setting.MAX_CONCURRENT_STREAMS, http2.streams],
        [Setting.MAX_HEADER_LIST_SIZE, head],
        [Setting.ENABLE_CONNECT_PROTOCOL, 1],
        [Setting.NO_RFC7540_PRIORITIES, 1],
      ]),
    );
    readShared(socket, (bytes, size) => this.#turns.take(bytes, size));
    if (first !== undefined) this.#turns.take(first, first.length);
  }

  // ── streams ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * A request came. It is served when the read that brought it is over: what is reset within the same read reaches no
   * service (CVE-2023-44487).
   */
  onRequest(id: number, list: FieldList, size: number, isCut: boolean, ended: boolean): RequestStream {
    if (this.#phase === 'silent' || this.#phase === 'idle') {
      this.#phase = 'serving';
      this.#listener.idle.leave(this);
      this.#context.deadlines.disarm(this);
    }
    const stream = this.#free.pop() ?? new RequestStream(this, this.#context, this.#listener);
    stream.take(id, list, isCut, ended);
    this.#freshBytes += size;
    if (this.#fresh.push(stream) === 1) setImmediate(beginFresh, this);
    return stream;
  }

  /** Serves what came, unless more of it has yet to be read. */
  beginFresh(): void {
    if (this.#turns.behind > 0) return;
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const each of fresh) each.begin();
    this.#freshBytes = 0;
  }

  onCaughtUp(): void {
    this.beginFresh();
  }

  get mostStreams(): number {
    return this.#listener.limits.http2.streams;
  }

  get takesNoMore(): boolean {
    return this.#phase === 'leaving';
  }

  onServed(): void {
    this.#requests++;
    const most = this.#listener.limits.requests;
    if (this.#context.draining || (most > 0 && this.#requests >= most)) this.#leave();
  }

  onCut(id: number): void {
    this.#handler.onCut(id);
  }

  onStreamEnd(stream: RequestStream, end: StreamEnd): void {
    this.#handler.onClosed(stream);
    this.#free.push(stream);
    if (end === 'answered') this.#oddities.makeUp();
    else if (end !== 'cut') this.onOdd(end);
    if (this.streams === 0) this.#onLastStream();
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

  /** An idle connection should take little memory. Between two bursts of requests, objects are kept. */
  onQuiet(): void {
    if (this.#phase === 'idle') for (const each of this.#free.splice(KEPT_WHEN_IDLE)) each.forget();
  }

  get unread(): number {
    return this.#turns.behind + this.#reader.partial + this.#handler.openBytes + this.#freshBytes;
  }

  get streams(): number {
    return this.#handler.streams.size;
  }

  /** What the kernel took whole: `bytesWritten` counts what waits, too. */
  get sentBytes(): number {
    return this.#socket.bytesWritten - this.#socket.writableLength;
  }

  get isStuck(): boolean {
    return this.#socket.writableLength > 0;
  }

  /** Each stream may find so, and each frame that finds no room. */
  onStuck(): void {
    if (this.hasStalled) return;
    this.hasStalled = true;
    this.#reader.stop();
    this.#countCut('stalled');
    this.#socket.resetAndDestroy();
  }

  onDrain(): void {
    this.sender.pump();
  }

  // ── odd behaviour ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Soon enough for most clients; one that sends without end may not go on until then. */
  onLongTurn(): void {
    this.account.look();
  }

  onWaste(points: number): void {
    this.onOdd('waste', points);
  }

  onOdd(kind: Oddity, points?: number): void {
    if (this.#phase === 'lingering' || this.#phase === 'closed') return;
    const { oddities: limit } = this.#listener.limits.http2;
    if (!this.#oddities.add(kind, limit, this.#context.clock.now(), points)) return;
    this.#countCut(kind);
    this.#break(ErrorCode.ENHANCE_YOUR_CALM);
  }

  onBroken(code: number): void {
    if (this.#phase === 'lingering' || this.#phase === 'closed') return;
    this.#countCut('protocol');
    this.#break(code);
  }

  onFlooded(): void {
    this.onStuck();
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

  /** The client sends no other request, and waits for its answers. */
  onGoaway(): void {
    this.#leave();
  }

  abort(): void {
    this.#socket.destroy();
  }

  giveWay(isNew: boolean): void {
    this.#losePlace();
    this.#break(isNew ? ErrorCode.ENHANCE_YOUR_CALM : ErrorCode.NO_ERROR);
  }

  /** The client has too many connections. */
  refuse(): void {
    this.#break(ErrorCode.ENHANCE_YOUR_CALM);
  }

  /** Ends everything. */
  #break(code: number): void {
    this.#phase = 'lingering';
    this.#reader.stop();
    this.#closeStreams();
    this.#context.deadlines.arm(this, LINGER_MS);
    this.#endSending(code);
  }

  #closeStreams(): void {
    for (const each of [...this.#handler.streams.values()]) each.close(ErrorCode.CANCEL);
  }

  /**
   * Tells the client to ask nothing more here, and names the last stream that is served. What it sent behind that is its
   * to send elsewhere, which it may, whatever it is (RFC 9113 §6.8).
   */
  #leave(): void {
    if (this.#phase !== 'silent' && this.#phase !== 'serving' && this.#phase !== 'idle') return;
    this.#phase = 'leaving';
    this.#listener.idle.leave(this);
    this.#context.deadlines.disarm(this);
    if (this.streams === 0) this.#linger();
    else this.sender.control(goawayFrame(this.#handler.lastStream, ErrorCode.NO_ERROR));
  }

  /** All is over: names the last stream and closes. What waits goes first, as slowly as the client takes it. */
  #linger(): void {
    this.#phase = 'lingering';
    this.#reader.stop();
    this.#endSending(ErrorCode.NO_ERROR);
    if (this.#socket.writableLength === 0) {
      this.#awaitEnd();
    } else {
      this.#lastWatch = new SendWatch(this.#socket, this.#context, this.#listener);
      this.#lastWatch.begin();
    }
  }

  #endSending(code: number): void {
    this.sender.end(goawayFrame(this.#handler.lastStream, code));
  }

  onFinish(): void {
    if (this.#phase === 'lingering') this.#awaitEnd();
  }

  /** Everything is sent: the client has a moment to close the connection. */
  #awaitEnd(): void {
    if (this.#hasPlace) this.#listener.idle.end(this);
    this.#lastWatch?.end();
    this.#context.deadlines.arm(this, LINGER_MS);
  }

  onDeadline(): void {
    if (this.#phase === 'lingering') this.#socket.destroy();
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
    this.#reader.stop();
    this.#turns.close();
    this.sender.close();
    this.#context.byteWatch.delete(this.account);
    this.#closeStreams();
    this.#losePlace();
    this.peer.leave();
    for (const each of this.#free) each.forget();
    if (this.#lastWatch !== undefined) this.#context.deadlines.forget(this.#lastWatch);
    this.#context.deadlines.forget(this);
  }
}

function beginFresh(session: ClientSession): void {
  session.beginFresh();
}
