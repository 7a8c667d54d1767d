import { type BlockLimits, FieldDecoder } from '../../http2/field-decoder.ts';
import type { FieldList } from '../../http2/field-list.ts';
import type { FrameTaker } from '../../http2/frame-reader.ts';
import { ErrorCode, Flag, FRAME_BYTES, FrameType, pongFrame, SETTINGS_ACK, WINDOW_BYTES } from '../../http2/frames.ts';
import type { ByteAccount } from './byte-account.ts';
import { applySettings } from './client-settings.ts';
import { CutStreams } from './cut-streams.ts';
import type { FrameSender } from './frame-sender.ts';
import type { Oddity } from './oddities.ts';
import type { RequestStream } from './request-stream.ts';

/** The connection that frames are for. */
export interface HandlerOwner {
  readonly sender: FrameSender;
  readonly account: ByteAccount;
  /** Bounds on the fields of a head. */
  readonly blockLimits: BlockLimits;
  /** Most streams at once. */
  readonly mostStreams: number;
  /** No other stream is served. */
  readonly takesNoMore: boolean;
  /**
   * @param size bytes of its head, as they came
   * @returns the stream that serves the request
   */
  onRequest(id: number, list: FieldList, size: number, isCut: boolean, ended: boolean): RequestStream;
  onOdd(kind: Oddity): void;
  /** The client wants to end the connection. */
  onGoaway(): void;
  /** A rule that concerns the connection is broken. @param code one of {@link ErrorCode} */
  onBroken(code: number): void;
}

/** A head that is not complete. */
interface OpenBlock {
  readonly stream: number;
  readonly flags: number;
  readonly pieces: Buffer[];
  bytes: number;
}

/** CONTINUATION frames of one head, beyond those that its bytes need. */
const SPARE_CONTINUATIONS = 8;
/** Empty DATA frames in a row that do not end their stream. */
const MOST_EMPTY = 1000;
/** Bytes that the client may send on the connection are given back in such steps. */
const CREDIT_BYTES = WINDOW_BYTES >>> 1;
/** A head that comes to so many times what one may be is no request, but an attempt to use our memory. */
const BOMB = 4;
/** Bytes of PRIORITY, which HEADERS may hold too. */
const PRIORITY_BYTES = 5;

/** Acts on the frames of one client, by the rules of RFC 9113 §5 and §6. */
export class FrameHandler implements FrameTaker {
  /** Streams that are open, by their numbers. */
  readonly streams = new Map<number, RequestStream>();
  /** The last stream whose request was taken. */
  lastStream = 0;
  readonly #cut = new CutStreams();
  readonly #owner: HandlerOwner;
  readonly #decoder = new FieldDecoder();
  /** The highest number that a stream had so far. */
  #highest = 0;
  #block: OpenBlock | undefined;
  #hasSettings = false;
  /** The stream of the DATA frame that is being read; undefined: its content is dropped. */
  #receiving: RequestStream | undefined;
  #empty = 0;
  /** Bytes of DATA that came, and that the client was not given back. */
  #taken = 0;

  constructor(owner: HandlerOwner) {
    this.#owner = owner;
  }

  /** Bytes that came of a head that is not complete. */
  get openBytes(): number {
    return this.#block?.bytes ?? 0;
  }

  onBroken(code: number): void {
    this.#owner.onBroken(code);
  }

  /** We cut a stream on which the client may still send. */
  onCut(id: number): void {
    this.#cut.add(id);
  }

  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    if (!this.#isInOrder(type, stream)) {
      this.onBroken(ErrorCode.PROTOCOL_ERROR);
      return;
    }
    switch (type) {
      case FrameType.HEADERS:
        this.#onHeaders(flags, stream, bytes, from, to);
        break;
      case FrameType.CONTINUATION:
        this.#onContinuation(flags, bytes, from, to);
        break;
      case FrameType.RST_STREAM:
        this.#onReset(stream, bytes, from, to);
        break;
      case FrameType.WINDOW_UPDATE:
        this.#onWindowUpdate(stream, bytes, from, to);
        break;
      case FrameType.SETTINGS:
        this.#onSettings(flags, stream, bytes, from, to);
        break;
      case FrameType.PING:
        this.#onPing(flags, stream, bytes, from, to);
        break;
      case FrameType.GOAWAY:
        if (stream !== 0) this.onBroken(ErrorCode.PROTOCOL_ERROR);
        else if (to - from < 8) this.onBroken(ErrorCode.FRAME_SIZE_ERROR);
        else this.#owner.onGoaway();
        break;
      case FrameType.PRIORITY:
        this.#onPriority(stream, bytes, from, to);
        break;
      case FrameType.PUSH_PROMISE:
        this.onBroken(ErrorCode.PROTOCOL_ERROR);
        break;
    }
  }

  /** SETTINGS come first (§3.4), and a head in several frames has nothing between them (§6.10). */
  #isInOrder(type: number, stream: number): boolean {
    if (!this.#hasSettings) return type === FrameType.SETTINGS;
    const open = this.#block?.stream;
    return type === FrameType.CONTINUATION ? stream === open : open === undefined;
  }

  /** Nothing was sent on it yet (§5.1). Streams of even numbers are ours, and we begin none. */
  #isIdle(stream: number): boolean {
    return stream > this.#highest || (stream & 1) === 0;
  }

  // ── heads and trailers ────────────────────────────────────────────────────────────────────────────────────────────

  #onHeaders(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    let start = from;
    let end = to;
    if ((stream & 1) === 0) {
      this.onBroken(ErrorCode.PROTOCOL_ERROR);
      return;
    }
    if ((flags & Flag.PADDED) !== 0) {
      end -= start < end ? (bytes[start] as number) : 1;
      start++;
    }
    const dependsOn = (flags & Flag.PRIORITY) === 0 ? 0 : start + PRIORITY_BYTES <= end ? numberAt(bytes, start) : -1;
    if ((flags & Flag.PRIORITY) !== 0) start += PRIORITY_BYTES;
    if (start > end || dependsOn === stream) {
      this.onBroken(dependsOn < 0 ? ErrorCode.FRAME_SIZE_ERROR : ErrorCode.PROTOCOL_ERROR);
    } else if ((flags & Flag.END_HEADERS) !== 0) {
      this.#onBlock(stream, flags, bytes, start, end);
    } else {
      this.#block = { stream, flags, pieces: [Buffer.from(bytes.subarray(start, end))], bytes: end - start };
    }
  }

  #onContinuation(flags: number, bytes: Buffer, from: number, to: number): void {
    const block = this.#block as OpenBlock;
    const most = 2 * this.#owner.blockLimits.bytes;
    block.pieces.push(Buffer.from(bytes.subarray(from, to)));
    block.bytes += to - from;
    if (block.bytes > most || block.pieces.length > SPARE_CONTINUATIONS + most / FRAME_BYTES) {
      this.onBroken(ErrorCode.ENHANCE_YOUR_CALM);
      return;
    }
    if ((flags & Flag.END_HEADERS) === 0) return;
    this.#block = undefined;
    this.#onBlock(block.stream, block.flags, Buffer.concat(block.pieces), 0, block.bytes);
  }

  /** A whole head came, or trailers. It is decoded whatever becomes of it, as the next one depends on it. */
  #onBlock(id: number, flags: number, bytes: Buffer, from: number, to: number): void {
    const list: FieldList = [];
    if (!this.#decoder.decode(bytes, from, to, list, this.#owner.blockLimits)) {
      this.onBroken(ErrorCode.COMPRESSION_ERROR);
      return;
    }
    const ended = (flags & Flag.END_STREAM) !== 0;
    const stream = this.streams.get(id);
    if (stream !== undefined) this.#onTrailers(stream, list, ended);
    else if (id > this.#highest) this.#onRequest(id, list, to - from, ended);
    else if (!this.#cut.has(id)) this.onBroken(ErrorCode.STREAM_CLOSED);
  }

  #onTrailers(stream: RequestStream, list: FieldList, ended: boolean): void {
    if (!stream.mayReceive) {
      stream.cut(ErrorCode.STREAM_CLOSED);
    } else if (!ended) {
      stream.cut(ErrorCode.PROTOCOL_ERROR);
    } else {
      stream.onTrailers(list, this.#decoder.isCut);
      stream.onReceivedEnd();
    }
  }

  #onRequest(id: number, list: FieldList, size: number, ended: boolean): void {
    this.#highest = id;
    const owner = this.#owner;
    if (owner.takesNoMore) {
      this.#cut.add(id);
      return;
    }
    this.lastStream = id;
    if (this.streams.size >= owner.mostStreams) {
      this.#refuse(id, ErrorCode.REFUSED_STREAM);
    } else if (this.#decoder.expanded > BOMB * owner.blockLimits.bytes) {
      this.#refuse(id, ErrorCode.ENHANCE_YOUR_CALM);
      owner.onOdd('malformed');
    } else {
      this.streams.set(id, owner.onRequest(id, list, size, this.#decoder.isCut, ended));
    }
  }

  /** Serves no request on it, whatever comes of that. */
  #refuse(id: number, code: number): void {
    this.#cut.add(id);
    this.#owner.sender.reset(id, code);
  }

  // ── content ───────────────────────────────────────────────────────────────────────────────────────────────────────

  onDataBegin(flags: number, id: number, size: number, content: number): void {
    this.#receiving = undefined;
    const code = this.#connectionFault(flags, id, content);
    if (code !== undefined) {
      this.onBroken(code);
      return;
    }
    this.#credit(size);
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (!this.#cut.has(id)) this.#refuseData(id);
    } else if (!stream.mayReceive) {
      stream.cut(ErrorCode.STREAM_CLOSED);
    } else if (!stream.input.expect(size)) {
      stream.cut(ErrorCode.FLOW_CONTROL_ERROR);
    } else {
      stream.input.credit(size - content);
      this.#owner.account.content(content);
      this.#receiving = stream;
    }
  }

  #connectionFault(flags: number, id: number, content: number): number | undefined {
    if (!this.#isInOrder(FrameType.DATA, id) || this.#isIdle(id)) return ErrorCode.PROTOCOL_ERROR;
    if (content > 0 || (flags & Flag.END_STREAM) !== 0) this.#empty = 0;
    else if (++this.#empty > MOST_EMPTY) return ErrorCode.ENHANCE_YOUR_CALM;
    return undefined;
  }

  /**
   * What comes is taken at once: the windows of streams bound how much of it waits. So no frame can be more than the
   * connection's window lets come: half of it is free at any time, and that is more than a frame.
   */
  #credit(size: number): void {
    this.#taken += size;
    if (this.#taken < CREDIT_BYTES) return;
    this.#owner.sender.credit(0, this.#taken);
    this.#taken = 0;
  }

  /** Content came behind the end of its stream. */
  #refuseData(id: number): void {
    this.#owner.sender.reset(id, ErrorCode.STREAM_CLOSED);
    this.#owner.onOdd('malformed');
  }

  onData(bytes: Buffer, from: number, to: number): void {
    this.#receiving?.input.take(bytes, from, to);
  }

  onDataEnd(flags: number): void {
    const stream = this.#receiving;
    this.#receiving = undefined;
    if ((flags & Flag.END_STREAM) !== 0) stream?.onReceivedEnd();
  }

  /** A stream is closed. */
  onClosed(stream: RequestStream): void {
    this.streams.delete(stream.id);
    if (this.#receiving === stream) this.#receiving = undefined;
  }

  // ── control ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #onReset(id: number, bytes: Buffer, from: number, to: number): void {
    if (to - from !== 4) this.onBroken(ErrorCode.FRAME_SIZE_ERROR);
    else if (this.#isIdle(id)) this.onBroken(ErrorCode.PROTOCOL_ERROR);
    else this.streams.get(id)?.close(bytes.readUInt32BE(from));
  }

  #onWindowUpdate(id: number, bytes: Buffer, from: number, to: number): void {
    if (to - from !== 4) {
      this.onBroken(ErrorCode.FRAME_SIZE_ERROR);
      return;
    }
    const by = numberAt(bytes, from);
    if (id !== 0) {
      if (this.#isIdle(id)) this.onBroken(ErrorCode.PROTOCOL_ERROR);
      else this.#onStreamWindow(this.streams.get(id), by);
    } else if (by === 0) {
      this.onBroken(ErrorCode.PROTOCOL_ERROR);
    } else if (!this.#owner.sender.grow(by, this.streams.values())) {
      this.onBroken(ErrorCode.FLOW_CONTROL_ERROR);
    }
  }

  #onStreamWindow(stream: RequestStream | undefined, by: number): void {
    if (stream === undefined) return;
    if (by === 0) stream.cut(ErrorCode.PROTOCOL_ERROR);
    else if (!stream.output.grow(by)) stream.cut(ErrorCode.FLOW_CONTROL_ERROR);
  }

  #onSettings(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    const isAck = (flags & Flag.ACK) !== 0;
    if (stream !== 0 || (isAck && !this.#hasSettings)) {
      this.onBroken(ErrorCode.PROTOCOL_ERROR);
    } else if (isAck ? to > from : (to - from) % 6 !== 0) {
      this.onBroken(ErrorCode.FRAME_SIZE_ERROR);
    } else if (!isAck) {
      const fault = applySettings(bytes, from, to, this.#owner.sender, this.streams.values());
      if (fault !== undefined) {
        this.onBroken(fault);
        return;
      }
      this.#owner.sender.control(SETTINGS_ACK);
      if (this.#hasSettings) this.#owner.onOdd('settings');
      this.#hasSettings = true;
    }
  }

  #onPing(flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    if (stream !== 0) this.onBroken(ErrorCode.PROTOCOL_ERROR);
    else if (to - from !== 8) this.onBroken(ErrorCode.FRAME_SIZE_ERROR);
    else if ((flags & Flag.ACK) === 0) {
      this.#owner.sender.control(pongFrame(bytes, from));
      this.#owner.onOdd('ping');
    }
  }

  /** Says nothing that is acted on (§5.3.2). */
  #onPriority(stream: number, bytes: Buffer, from: number, to: number): void {
    if (stream === 0) this.onBroken(ErrorCode.PROTOCOL_ERROR);
    else if (to - from !== PRIORITY_BYTES) this.streams.get(stream)?.cut(ErrorCode.FRAME_SIZE_ERROR);
    else if (numberAt(bytes, from) === stream) this.streams.get(stream)?.cut(ErrorCode.PROTOCOL_ERROR);
  }
}

/** A number of 31 bits; what the highest bit says is of no use to us. */
function numberAt(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) & 0x7fff_ffff;
}
