import {
  block,
  byIndex,
  type Fields,
  Flag,
  frame,
  indexedField,
  ping,
  request,
  reset,
  Setting,
  settings,
  Type,
  windowUpdate,
} from '../../test/support/http2-frames.ts';

/** What one attacking connection sends. */
export interface Attack {
  /** What our SETTINGS say. */
  settings?: [number, number][];
  /** What comes first. */
  first?: Buffer;
  /** What is sent again and again, as fast as it is taken; by the identifier of the next stream, where it opens some. */
  burst: Buffer | ((from: number) => Buffer);
  /** How many frames a burst is, and how many streams it opens. */
  frames: number;
  streams?: number;
  /** Nothing that the proxy says is read. */
  isDeaf?: boolean;
  /** It sends a burst this often, ms, in place of as fast as it is taken: it is about what it holds. */
  everyMs?: number;
}

/** The host of the service whose requests attack. */
export const ATTACKED = 'attacked';

const MANY = 1000;
const FEW = 100;
/** Streams that a listener lets a connection have at once. */
const AT_ONCE = 100;
/** Most content of a frame, bytes. */
const FRAME = 16_384;

const times = (count: number, make: (index: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
const open = (id: number, fields: Fields = []) =>
  frame(Type.HEADERS, Flag.END_HEADERS, id, block(fields, asked('/64')));
const asked = (path: string): Fields => [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', ATTACKED],
  [':path', path],
];
const get = (id: number, path: string) => request(id, [], asked(path));
/** Frames for so many new streams. */
const each = (count: number, make: (id: number) => Buffer) => (from: number) => times(count, (i) => make(from + 2 * i));

function bomb(): Buffer {
  const entry = Buffer.concat([block([], asked('/64')), indexedField('x', 'v'.repeat(4000))]);
  return Buffer.concat([entry, times(12_000, () => byIndex(62))]);
}
const BOMB = bomb();

/** A head in so many frames as it takes. */
function head(id: number, content: Buffer): Buffer {
  const parts = Math.ceil(content.length / FRAME);
  return times(parts, (i) => {
    const flags = (i === parts - 1 ? Flag.END_HEADERS : 0) | (i === 0 ? Flag.END_STREAM : 0);
    const part = content.subarray(i * FRAME, (i + 1) * FRAME);
    return frame(i === 0 ? Type.HEADERS : Type.CONTINUATION, flags, id, part);
  });
}
/** Every byte as it is given: more than `limits.head`, and less than what is not read at all. */
const LARGE_HEAD = block(
  Array.from({ length: 10 }, (_, i) => [`x-${i}`, 'v'.repeat(4000)] as const),
  asked('/64'),
);

/** The table is emptied and made as large as it may be (RFC 7541 §6.3), and filled again. */
const RESIZED = Buffer.concat([
  Buffer.from([0x20, 0x3f, 0xe1, 0x1f]),
  block([], asked('/64')),
  times(40, (i) => indexedField(`x-${i}`, 'v'.repeat(60))),
]);

/** PRIORITY (RFC 9113 §6.3): the stream depends on another one. */
function priority(id: number, on: number): Buffer {
  const payload = Buffer.alloc(5);
  payload.writeUInt32BE(on);
  payload[4] = id % 256;
  return frame(Type.PRIORITY, 0, id, payload);
}

/** The attacks that are known, by what they are called. */
export const attacks: Record<string, Attack> = {
  'new connections': { burst: Buffer.alloc(0), frames: 0 },
  'requests, as fast as they are answered': { burst: each(20, (id) => get(id, '/64')), frames: 20, streams: 20 },
  'rapid reset': {
    burst: each(FEW, (id) => Buffer.concat([get(id, '/64'), reset(id)])),
    frames: 2 * FEW,
    streams: FEW,
  },
  MadeYouReset: {
    burst: each(FEW, (id) => Buffer.concat([get(id, '/64'), windowUpdate(id, 0)])),
    frames: 2 * FEW,
    streams: FEW,
  },
  'malformed requests': {
    burst: each(FEW, (id) => request(id, [['connection', 'close']], asked('/64'))),
    frames: FEW,
    streams: FEW,
  },
  CONTINUATION: {
    first: frame(Type.HEADERS, Flag.END_STREAM, 1, block()),
    burst: times(MANY, () => frame(Type.CONTINUATION, 0, 1, Buffer.alloc(0))),
    frames: MANY,
  },
  SETTINGS: { burst: times(MANY, () => settings([Setting.HEADER_TABLE_SIZE, 0])), frames: MANY },
  PING: { burst: times(MANY, ping), frames: MANY },
  'PING, and nothing is read': { burst: times(MANY, ping), frames: MANY, isDeaf: true },
  'empty DATA': { first: open(1), burst: times(MANY, () => frame(Type.DATA, 0, 1)), frames: MANY },
  'DATA of a byte': { first: open(1), burst: times(MANY, () => frame(Type.DATA, 0, 1, 'x')), frames: MANY },
  'fields without name and value': {
    burst: each(FEW, (id) =>
      request(
        id,
        Array.from({ length: 90 }, () => ['', ''] as const),
        asked('/64'),
      ),
    ),
    frames: FEW,
    streams: FEW,
  },
  PRIORITY: { burst: times(MANY, (i) => priority(2 * i + 1, (2 * i + 3) % 199)), frames: MANY },
  WINDOW_UPDATE: { burst: times(MANY, () => windowUpdate(0, 1)), frames: MANY },
  'HPACK bomb': {
    burst: each(10, (id) => head(id, BOMB)),
    frames: 10,
    streams: 10,
  },
  'heads beyond the bound': { burst: each(10, (id) => head(id, LARGE_HEAD)), frames: 30, streams: 10 },
  'table of fields emptied and filled': { burst: each(20, (id) => head(id, RESIZED)), frames: 20, streams: 20 },
  'streams beyond the bound': {
    settings: [[Setting.INITIAL_WINDOW_SIZE, 0]],
    burst: each(FEW, (id) => get(id, '/1000000')),
    frames: FEW,
    streams: FEW,
  },
  'windows of 0, held': {
    settings: [[Setting.INITIAL_WINDOW_SIZE, 0]],
    first: each(AT_ONCE, (id) => get(id, '/1000000'))(1),
    burst: windowUpdate(0, 1),
    frames: 1,
    everyMs: 1000,
  },
  'windows of a byte': {
    settings: [[Setting.INITIAL_WINDOW_SIZE, 1]],
    first: each(AT_ONCE, (id) => get(id, '/1000000'))(1),
    burst: times(AT_ONCE, (i) => windowUpdate(2 * i + 1, 1)),
    frames: AT_ONCE,
  },
};
