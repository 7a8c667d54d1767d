import type { ContentCoding } from '../../model/compress-settings.ts';
import { Framing } from '../http1/framing.ts';
import type { ResponseHead } from '../http1/response.ts';
import { codedFields, variedFields } from './coded-fields.ts';
import type { CompressionCounts } from './compression-counts.ts';
import type { CompressionLimit } from './compression-limit.ts';
import type { CompressionRule } from './compression-rule.ts';
import { type Encoder, encodeWhole, flushEncoder, isQuick, openEncoder } from './encoder.ts';

/** What writes the answer. A returned `false` means that the client does not keep up. */
export interface CodedWriter {
  head(response: ResponseHead, added: string): void;
  piece(bytes: Buffer, start: number, end: number): boolean;
  flush(): boolean;
  end(trailers: string): boolean;
}

/** Whose answer it is. */
export interface CodedOwner {
  /** It may be given more again. */
  onEncoderDrain(): void;
  /** The client does not keep up with what comes out. */
  onClientBehind(): void;
  /** All of an answer is written whose end took longer than {@link CodedAnswer.end}. */
  onEncoded(): void;
  /** The encoder broke, and the rest of the answer is lost. */
  onEncoderFailure(): void;
  /** The content goes out coded. */
  onCoding(coding: ContentCoding): void;
}

/** An answer to be coded, and what that is bound and counted by. */
interface CodedSubject {
  readonly writer: CodedWriter;
  readonly rule: CompressionRule;
  readonly coding: ContentCoding;
  readonly response: ResponseHead;
  /** Field lines that are added to those of the response. */
  readonly added: string;
  readonly limit: CompressionLimit;
  readonly counts: CompressionCounts;
}

/** Content that came whole in one read is compressed at once up to this size: it takes 0.3 ms at most. */
const WHOLE_BYTES = 16 * 1024;
/** The service has to wait while more than this waits for the encoder: one read, besides the one that it is at. */
const QUEUE_BYTES = 96 * 1024;

/**
 * `gathering`: the head and the first bytes wait for the end of the read that brought them, which may bring all. `plain`:
 * sent as it is. `encoding`: through an encoder. `ending`: the service has sent all, but the encoder holds some of it.
 * `over`: nothing more is done.
 */
type State = 'gathering' | 'plain' | 'encoding' | 'ending' | 'over';

/**
 * The content of one answer on its way through an encoder. A small one that is here whole is coded in place and keeps a
 * length. Any other goes through a stream of node:zlib: whenever that has nothing left to do and the service pauses, all
 * that came so far goes out to the client.
 */
export class CodedAnswer {
  readonly #owner: CodedOwner;
  readonly #subject: CodedSubject;
  #state: State = 'gathering';
  #gathered: Buffer[] = [];
  #encoder: Encoder | undefined;
  /** Something went in that was not flushed yet. */
  #isUnflushed = false;
  /** The service was told to wait for the encoder. */
  #isFull = false;
  #trailers = '';
  #bytesIn = 0;
  #bytesOut = 0;

  constructor(owner: CodedOwner, subject: CodedSubject) {
    this.#owner = owner;
    this.#subject = subject;
  }

  /** Takes content. @returns false: no more of it, until `onEncoderDrain` or the client's drain */
  piece(bytes: Buffer, start: number, end: number): boolean {
    const { writer } = this.#subject;
    this.#bytesIn += end - start;
    if (this.#state === 'gathering') {
      if (this.#bytesIn <= WHOLE_BYTES) {
        // The read buffer is used again at once.
        this.#gathered.push(Buffer.from(bytes.subarray(start, end)));
        return true;
      }
      this.#begin();
    }
    if (this.#encoder !== undefined) return this.#encode(Buffer.from(bytes.subarray(start, end)));
    const keepsUp = writer.piece(bytes, start, end);
    if (!keepsUp) this.#owner.onClientBehind();
    return keepsUp;
  }

  /** All bytes of one read are here. @returns as `piece` */
  flush(): boolean {
    if (this.#state === 'gathering') this.#begin();
    // What comes out of the encoder is written when it does.
    return this.#encoder !== undefined || this.#subject.writer.flush();
  }

  /** The content is complete. @returns whether all of it is written; else `onEncoded` follows */
  end(trailers: string): boolean {
    const { writer } = this.#subject;
    if (this.#state === 'gathering') {
      if (this.#endWhole(trailers)) return true;
      this.#begin();
    }
    if (this.#encoder === undefined) {
      writer.end(trailers);
      this.#state = 'over';
      return true;
    }
    this.#state = 'ending';
    this.#trailers = trailers;
    this.#encoder.end();
    // There is not much left: the service is not kept for a client that is slow.
    this.#encoder.resume();
    return false;
  }

  /** The client takes more again. @returns whether the service may send more, too */
  resume(): boolean {
    this.#encoder?.resume();
    return !this.#isFull;
  }

  /** Whatever is not written yet is of no use any more. */
  close(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#gathered = [];
    this.#closeEncoder();
  }

  // ── all at once ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns false: it takes an encoder */
  #endWhole(trailers: string): boolean {
    const { writer, rule, coding, counts } = this.#subject;
    const level = rule.levels[coding];
    const content = Buffer.concat(this.#gathered);
    const isShort = content.length < rule.minBytes;
    if (!isShort && !isQuick(coding, level)) return false;
    const coded = isShort ? content : encodeWhole(coding, level, content);
    if (coded.length < content.length) {
      counts.ended(coding, content.length, coded.length);
      this.#writeHead(trailers === '' ? coded.length : undefined);
      writer.piece(coded, 0, coded.length);
    } else {
      this.#writePlain();
    }
    writer.end(trailers);
    this.#state = 'over';
    return true;
  }

  // ── through an encoder ────────────────────────────────────────────────────────────────────────────────────────────

  /** More is to come: writes the head, and opens an encoder if there is room for one. */
  #begin(): void {
    const { writer, response } = this.#subject;
    const encoder = this.#open(
      response.lengthSent && response.framing === Framing.LENGTH ? response.length : undefined,
    );
    if (encoder === undefined) {
      this.#state = 'plain';
      this.#writePlain();
      return;
    }
    this.#state = 'encoding';
    this.#encoder = encoder;
    this.#writeHead(undefined);
    const pieces = this.#gathered;
    this.#gathered = [];
    // The client need not wait for the first bytes to know that there is an answer.
    if (pieces.length === 0) writer.flush();
    for (const piece of pieces) this.#encode(piece);
  }

  #open(size: number | undefined): Encoder | undefined {
    const { rule, coding, limit, counts } = this.#subject;
    if (!limit.take()) {
      counts.refused();
      return undefined;
    }
    try {
      return this.#listen(openEncoder(coding, rule.levels[coding], size));
    } catch {
      // There was no memory for it.
      limit.release();
      counts.refused();
      return undefined;
    }
  }

  #listen(encoder: Encoder): Encoder {
    encoder.on('data', (coded: Buffer) => this.#onCoded(coded));
    encoder.on('end', () => this.#onEnd());
    encoder.on('error', () => this.#onError());
    return encoder;
  }

  #encode(piece: Buffer): boolean {
    const encoder = this.#encoder as Encoder;
    this.#isUnflushed = true;
    encoder.write(piece, this.#onTaken);
    this.#isFull = encoder.writableLength >= QUEUE_BYTES;
    return !this.#isFull && !encoder.isPaused();
  }

  /** The encoder has dealt with a piece. */
  readonly #onTaken = (): void => {
    const encoder = this.#encoder;
    if (encoder === undefined || this.#state !== 'encoding') return;
    if (this.#isFull && encoder.writableLength < QUEUE_BYTES) {
      this.#isFull = false;
      if (!encoder.isPaused()) this.#owner.onEncoderDrain();
    }
    if (encoder.writableLength === 0 && this.#isUnflushed) {
      this.#isUnflushed = false;
      flushEncoder(encoder, this.#subject.coding, this.#onFlushed);
    }
  };

  readonly #onFlushed = (): void => {
    if (this.#state === 'encoding') this.#subject.writer.flush();
  };

  #onCoded(coded: Buffer): void {
    if (this.#state === 'over') return;
    this.#bytesOut += coded.length;
    const keepsUp = this.#subject.writer.piece(coded, 0, coded.length);
    if (keepsUp || this.#state === 'ending') return;
    this.#encoder?.pause();
    this.#owner.onClientBehind();
  }

  #onEnd(): void {
    if (this.#state !== 'ending') return;
    this.#state = 'over';
    this.#closeEncoder();
    this.#subject.writer.end(this.#trailers);
    this.#owner.onEncoded();
  }

  #onError(): void {
    if (this.#state === 'over') return;
    this.close();
    this.#owner.onEncoderFailure();
  }

  #closeEncoder(): void {
    const { coding, counts, limit } = this.#subject;
    const encoder = this.#encoder;
    if (encoder === undefined) return;
    this.#encoder = undefined;
    encoder.destroy();
    limit.release();
    counts.ended(coding, this.#bytesIn, this.#bytesOut);
  }

  // ── head ──────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @param length of the coded content; undefined: it is not known */
  #writeHead(length: number | undefined): void {
    const { writer, response, added, coding } = this.#subject;
    response.lengthSent = length !== undefined;
    response.length = length ?? 0;
    if (length !== undefined) response.framing = Framing.LENGTH;
    // What ends with the service's connection goes on to do so.
    else if (response.framing === Framing.LENGTH) response.framing = Framing.CHUNKED;
    this.#owner.onCoding(coding);
    writer.head(response, codedFields(response.head, added, coding));
  }

  /** Writes the head and what was gathered as they came. */
  #writePlain(): void {
    const { writer, response, added } = this.#subject;
    writer.head(response, variedFields(response.head, added));
    for (const piece of this.#gathered) writer.piece(piece, 0, piece.length);
    this.#gathered = [];
  }
}
