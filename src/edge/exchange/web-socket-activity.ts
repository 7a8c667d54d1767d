/** Longest head of a frame: 2 bytes, 8 of length, 4 of mask (RFC 6455 §5.2). */
const MAX_HEAD = 14;
/** From this opcode on, frames are control frames: close, ping, pong (RFC 6455 §5.5). */
const CONTROL = 8;

/** Follows the frames of one direction of a WebSocket, to tell data from pings. It checks nothing. */
export class FrameScanner {
  readonly #head = new Uint8Array(MAX_HEAD);
  /** Bytes of the next head that came. */
  #have = 0;
  /** Bytes of the present payload that are to come. */
  #left = 0;
  #isData = false;

  /** Takes what came next. @returns whether any byte of a data frame is among it */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    let seen = false;
    for (let at = start; at < end; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, end - at);
        this.#left -= taken;
        at += taken;
      } else if (!this.#headByte(bytes[at++] as number)) {
        continue;
      }
      if (this.#isData) seen = true;
    }
    return seen;
  }

  /** @returns whether the head is complete with it */
  #headByte(byte: number): boolean {
    const head = this.#head;
    head[this.#have++] = byte;
    if (this.#have < 2) return false;
    const second = head[1] as number;
    const length = second & 0x7f;
    const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
    if (this.#have < 2 + extended + (second & 0x80 ? 4 : 0)) return false;
    this.#have = 0;
    this.#isData = ((head[0] as number) & 0x0f) < CONTROL;
    this.#left = extended === 0 ? length : 0;
    for (let i = 2; i < 2 + extended; i++) this.#left = this.#left * 256 + (head[i] as number);
    return true;
  }
}

/** When data last passed in a WebSocket, in either direction: its pings and pongs are none. */
export class WebSocketActivity {
  /** The clock's ms. */
  lastDataAt: number;
  readonly #client = new FrameScanner();
  readonly #service = new FrameScanner();

  constructor(now: number) {
    this.lastDataAt = now;
  }

  fromClient(bytes: Uint8Array, now: number): void {
    if (this.#client.scan(bytes, 0, bytes.length)) this.lastDataAt = now;
  }

  fromService(bytes: Uint8Array, start: number, end: number, now: number): void {
    if (this.#service.scan(bytes, start, end)) this.lastDataAt = now;
  }
}
