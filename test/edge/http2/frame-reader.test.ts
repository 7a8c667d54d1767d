import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameReader, type FrameTaker } from '../../../src/edge/http2/frame-reader.ts';
import { ErrorCode } from '../../../src/edge/http2/frames.ts';
import { Flag, frame, PREFACE, ping, Type } from '../../support/http2-frames.ts';

/** Writes down what it gets; content that comes in pieces is joined. */
class Notes implements FrameTaker {
  readonly seen: unknown[] = [];
  #data: Buffer[] = [];

  onFrame(type: number, flags: number, stream: number, bytes: Buffer, from: number, to: number): void {
    this.seen.push([type, flags, stream, bytes.toString('latin1', from, to)]);
  }

  onDataBegin(flags: number, stream: number, size: number, content: number): void {
    this.seen.push(['data', flags, stream, size, content]);
  }

  onData(bytes: Buffer, from: number, to: number): void {
    this.#data.push(Buffer.from(bytes.subarray(from, to)));
  }

  onDataEnd(flags: number): void {
    this.seen.push(['end', flags, Buffer.concat(this.#data).toString('latin1')]);
    this.#data = [];
  }

  onBroken(code: number): void {
    this.seen.push(['broken', code]);
  }
}

function read(...pieces: Buffer[]): unknown[] {
  const notes = new Notes();
  const reader = new FrameReader(notes);
  for (const piece of pieces) reader.read(piece, 0, piece.length);
  return notes.seen;
}

const payload = fc.oneof(
  fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 30 }),
  fc.constantFrom('', 'c'.repeat(16_384), 'd'.repeat(16_385)),
);
const padded = (pad: number, content: string) =>
  frame(Type.DATA, Flag.PADDED, 1, Buffer.concat([Buffer.from([pad]), Buffer.from(content), Buffer.alloc(pad)]));
const anyFrame = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 12 }), fc.nat(255), fc.nat(5), payload)
    .map(([type, flags, stream, text]) => frame(type, flags, stream, text)),
  fc
    .tuple(fc.nat(255), fc.string({ unit: fc.constantFrom('x'), maxLength: 9 }))
    .map(([pad, text]) => padded(pad, text)),
);

test('frames are the same in whatever pieces they come', () => {
  const cuts = fc.array(fc.nat(), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 8 }), cuts, (frames, places) => {
      const all = Buffer.concat([PREFACE, ...frames]);
      const at = [0, ...places.map((place) => place % all.length), all.length].sort((a, b) => a - b);
      const pieces = at.slice(1).map((end, i) => all.subarray(at[i], end));
      expect(read(...pieces)).toEqual(read(all));
    }),
    { numRuns: 500 },
  );
});

test('frames are the same byte by byte', () => {
  const all = Buffer.concat([
    PREFACE,
    ping(),
    padded(3, 'abc'),
    frame(Type.HEADERS, 5, 1, 'head'),
    frame(Type.DATA, 1, 1),
  ]);
  const expected = [
    [Type.PING, 0, 0, '\0'.repeat(8)],
    ['data', Flag.PADDED, 1, 7, 3],
    ['end', Flag.PADDED, 'abc'],
    [Type.HEADERS, 5, 1, 'head'],
    ['data', 1, 1, 0, 0],
    ['end', 1, ''],
  ];
  expect(read(...[...all].map((byte) => Buffer.from([byte])))).toEqual(expected);
  expect(read(all)).toEqual(expected);
});

describe('nothing is read behind', () => {
  test.each<[string, Buffer, number]>([
    ['another preface', Buffer.from('PRI * HTTP/2.0\r\n\r\nSN'), ErrorCode.PROTOCOL_ERROR],
    [
      'a frame that is too large',
      Buffer.concat([PREFACE, frame(99, 0, 0, 'x'.repeat(16_385))]),
      ErrorCode.FRAME_SIZE_ERROR,
    ],
    [
      'content that is too large',
      Buffer.concat([PREFACE, frame(0, 0, 1, 'x'.repeat(16_385))]),
      ErrorCode.FRAME_SIZE_ERROR,
    ],
    ['padding as long as all', Buffer.concat([PREFACE, frame(0, Flag.PADDED, 1, '\x03ab')]), ErrorCode.PROTOCOL_ERROR],
    ['padding without its length', Buffer.concat([PREFACE, frame(0, Flag.PADDED, 1)]), ErrorCode.FRAME_SIZE_ERROR],
  ])('%s', (_name, bytes, code) => {
    expect(read(bytes, ping())).toEqual([['broken', code]]);
  });
});
