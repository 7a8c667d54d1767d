import { connect, type Socket } from 'node:net';

/** Types of frames (RFC 9113 §6). */
export const Type = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const Flag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

/** Error codes (RFC 9113 §7). */
export const Code = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  ENHANCE_YOUR_CALM: 11,
} as const;

export const Setting = { HEADER_TABLE_SIZE: 1, MAX_CONCURRENT_STREAMS: 3, INITIAL_WINDOW_SIZE: 4 } as const;

export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  payload: Buffer;
}

/** One frame's bytes; whether it makes sense is the caller's affair. */
export function frame(type: number, flags: number, stream: number, payload: Buffer | string = ''): Buffer {
  const content = Buffer.from(payload as string, 'latin1');
  const head = Buffer.alloc(9);
  head.writeUIntBE(content.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, content]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function settings(...pairs: [number, number][]): Buffer {
  const payload = Buffer.concat(
    pairs.map(([name, value]) => {
      const id = Buffer.alloc(2);
      id.writeUInt16BE(name);
      return Buffer.concat([id, uint32(value)]);
    }),
  );
  return frame(Type.SETTINGS, 0, 0, payload);
}

export function reset(stream: number, code: number = Code.CANCEL): Buffer {
  return frame(Type.RST_STREAM, 0, stream, uint32(code));
}

export function windowUpdate(stream: number, by: number): Buffer {
  return frame(Type.WINDOW_UPDATE, 0, stream, uint32(by));
}

export function ping(): Buffer {
  return frame(Type.PING, 0, 0, Buffer.alloc(8));
}

/** An integer of HPACK with a prefix of so many bits (RFC 7541 §5.1). */
function integer(value: number, bits: number, first: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([first | value]);
  const out = [first | most];
  let rest = value - most;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  out.push(rest);
  return Buffer.from(out);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([integer(bytes.length, 7, 0), bytes]);
}

/** A field that no table takes up (RFC 7541 §6.2.2): every byte as it is given. */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** A field that is put in the table, and from then on is there by its index, 62 for the last (RFC 7541 §6.2.1). */
export function indexedField(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0x40]), text(name), text(value)]);
}

/** A field by its index in the tables (RFC 7541 §6.1). */
export function byIndex(index: number): Buffer {
  return integer(index, 7, 0x80);
}

export type Fields = readonly (readonly [name: string, value: string])[];

/** The block of a request's fields: the usual pseudo-fields, and these. */
export function block(fields: Fields = [], pseudo: Fields = REQUEST): Buffer {
  return Buffer.concat([...pseudo, ...fields].map(([name, value]) => field(name, value)));
}

export const REQUEST: Fields = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'app.test'],
  [':path', '/'],
];

/** A whole request in one frame. */
export function request(stream: number, fields: Fields = [], pseudo: Fields = REQUEST): Buffer {
  return frame(Type.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, stream, block(fields, pseudo));
}

/** A raw client: frames out, frames in. It acknowledges nothing and gives no credit by itself. */
export class FrameClient {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  closed = false;
  #bytes: Buffer = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Connects and sends the preface, with these settings. */
  static open(port: number, ...pairs: [number, number][]): Promise<FrameClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        const client = new FrameClient(socket);
        client.send(PREFACE, settings(...pairs));
        resolve(client);
      });
    });
  }

  send(...frames: Buffer[]): void {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(frames));
  }

  #read(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    for (;;) {
      if (this.#bytes.length < 9) return;
      const size = this.#bytes.readUIntBE(0, 3);
      if (this.#bytes.length < 9 + size) return;
      this.frames.push({
        type: this.#bytes[3] as number,
        flags: this.#bytes[4] as number,
        stream: this.#bytes.readUInt32BE(5) & 0x7fffffff,
        payload: Buffer.from(this.#bytes.subarray(9, 9 + size)),
      });
      this.#bytes = this.#bytes.subarray(9 + size);
    }
  }

  of(type: number, stream?: number): Frame[] {
    return this.frames.filter((each) => each.type === type && (stream === undefined || each.stream === stream));
  }

  /** Codes of the GOAWAY frames so far. */
  get goaways(): number[] {
    return this.of(Type.GOAWAY).map(({ payload }) => payload.readUInt32BE(4));
  }

  /** Code of the stream's RST_STREAM; undefined: none came. */
  resetOf(stream: number): number | undefined {
    return this.of(Type.RST_STREAM, stream)[0]?.payload.readUInt32BE(0);
  }

  /** Status of the stream's answer, which is its first field; 0: it is not told in full, as it was the same before. */
  statusOf(stream: number): number | undefined {
    const head = this.of(Type.HEADERS, stream)[0]?.payload;
    if (head === undefined) return undefined;
    const at = (head[0] as number) >> 5 === 1 ? 1 : 0;
    const first = head[at] as number;
    if (first >= 0x88 && first <= 0x8e) return STATUS_BY_INDEX[first - 0x88];
    // 0: it is in the table that earlier answers filled.
    if (first >= 0x80) return 0;
    const length = head[at + 1] as number;
    const value = head.subarray(at + 2, at + 2 + (length & 0x7f));
    return length < 0x80 ? Number(value.toString('latin1')) : digits(value);
  }

  /** Content of the stream's answer so far. */
  bodyOf(stream: number): Buffer {
    return Buffer.concat(this.of(Type.DATA, stream).map(({ payload }) => payload));
  }

  /** The stream was ended in order. */
  hasEnded(stream: number): boolean {
    return this.frames.some(
      ({ type, flags, stream: id }) =>
        id === stream && (type === Type.DATA || type === Type.HEADERS) && (flags & Flag.END_STREAM) !== 0,
    );
  }

  destroy(): void {
    this.socket.destroy();
  }
}

const STATUS_BY_INDEX = [200, 204, 206, 304, 400, 404, 500];

/** Reads three digits in the code of HPACK, where 0 to 2 have five bits and the others six (RFC 7541, appendix B). */
function digits(bytes: Buffer): number {
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let out = 0;
  for (let i = 0; i < 3; i++) {
    const short = Number.parseInt(bits.slice(0, 5), 2);
    const digit = short <= 2 ? short : Number.parseInt(bits.slice(0, 6), 2) - 22;
    out = out * 10 + digit;
    bits = bits.slice(short <= 2 ? 5 : 6);
  }
  return out;
}
