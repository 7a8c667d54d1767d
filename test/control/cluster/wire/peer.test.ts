import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import {
  type Frame,
  FrameReader,
  frameHead,
  Kind,
  MAX_FRAME,
  pack,
  packBytes,
  unpack,
} from '../../../../src/control/cluster/wire/frame.ts';
import { Peer } from '../../../../src/control/cluster/wire/peer.ts';
import { VirtualClock } from '../../../../src/util/virtual-clock.ts';
import { until } from '../../../edge/wire.ts';

/** A peer on a stream whose other end is in the test's hands. */
function peerOn(reads: boolean) {
  const clock = new VirtualClock();
  const sent: Frame[] = [];
  const reader = new FrameReader(MAX_FRAME);
  const stream = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      if (!reads) return;
      reader.push(chunk);
      sent.push(...framesOf(reader));
      done();
    },
  });
  const causes: (string | undefined)[] = [];
  const frames: Frame[] = [];
  const peer = new Peer(
    stream,
    {
      clock,
      leaseMs: 5000,
      index: 7,
      onFrame: (frame) => frames.push(frame),
      onClose: (cause) => causes.push(cause?.message),
    },
    true,
  );
  return { clock, stream, sent, peer, causes, frames };
}

/** Those that have come whole. */
function framesOf(reader: FrameReader): Frame[] {
  const frames: Frame[] = [];
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame);
  return frames;
}

test('something is sent each second, and a peer that says nothing for a lease is gone', async () => {
  const { clock, stream, sent, causes } = peerOn(true);
  for (let second = 0; second < 5; second++) await clock.advanceAsync(1000);
  await until(() => sent.length === 5, 'a frame for each second');
  expect(sent.map(({ kind, index }) => [kind, index])).toEqual(Array(5).fill([Kind.ALIVE, 7]));
  expect(causes).toEqual([]);
  await clock.advanceAsync(1000);
  expect(causes).toEqual(['nothing came for 6000 ms']);
  expect(stream.destroyed).toBe(true);
  expect(clock.pending).toBe(0);
});

test('a peer that was silent is not heard again: what it says after a lease is of another time', async () => {
  const { clock, stream, frames, causes } = peerOn(true);
  const hello = Buffer.concat([frameHead(Kind.ALIVE, 0, 7, packBytes(Buffer.alloc(0)))]);
  stream.push(hello);
  await until(() => frames.length === 1, 'the first frame');
  // As after a pause of the process: time has passed, and no timer has fired.
  const late = clock.now() + 5001;
  clock.now = () => late;
  stream.push(hello);
  await until(() => causes.length === 1, 'the end');
  expect(frames.length).toBe(1);
});

test('a peer that takes nothing is closed when too much waits for it', async () => {
  const { peer, causes } = peerOn(false);
  const piece = packBytes(Buffer.alloc(2 ** 20));
  for (let count = 0; count < 64; count++) peer.sendPacked(Kind.CHUNK, 0, piece);
  expect(causes).toEqual(['it reads too slowly: 67108864 bytes wait for it']);
});

test('frames come whole however they are cut, and large ones pass compressed', async () => {
  const { peer, sent } = peerOn(true);
  const table = { type: 'table', routes: Array.from({ length: 1000 }, (_, index) => ({ host: `${index}.test` })) };
  peer.send(Kind.MESSAGE, 3, table);
  peer.send(Kind.MESSAGE, 4);
  await until(() => sent.length === 2, 'both frames');
  expect(unpack(sent[0] as Frame)).toEqual(table);
  expect(unpack(sent[1] as Frame)).toBeUndefined();
  const packed = pack(table);
  expect(packed.bytes.length).toBeLessThan(JSON.stringify(table).length / 5);
  const bytes = Buffer.concat([frameHead(Kind.MESSAGE, 3, 7, packed), packed.bytes]);
  const read: Frame[] = [];
  const reader = new FrameReader(MAX_FRAME);
  for (const byte of Buffer.concat([bytes, bytes])) {
    reader.push(Buffer.of(byte));
    read.push(...framesOf(reader));
  }
  expect(read.map((frame) => unpack(frame))).toEqual([table, table]);
});

test('a frame that is too long, or that cannot be decompressed, ends the link', async () => {
  for (const bytes of [
    frameHead(Kind.MESSAGE, 1, 7, { coding: 0, bytes: { length: MAX_FRAME + 1 } as Buffer }),
    Buffer.concat([frameHead(Kind.MESSAGE, 1, 7, { coding: 1, bytes: Buffer.alloc(20) }), randomBytes(20)]),
  ]) {
    const { stream, causes } = peerOn(true);
    stream.push(bytes);
    await until(() => causes.length === 1, 'the end');
  }
});

test('a long frame is joined once, however many pieces it comes in', () => {
  const content = randomBytes(2 ** 20);
  const packed = packBytes(content);
  const bytes = Buffer.concat([frameHead(Kind.CHUNK, 3, 7, packed), packed.bytes]);
  const read: Frame[] = [];
  const reader = new FrameReader(MAX_FRAME);
  const concat = vi.spyOn(Buffer, 'concat');
  onTestFinished(() => concat.mockRestore());
  for (let at = 0; at < bytes.length; at += 4096) {
    reader.push(bytes.subarray(at, at + 4096));
    read.push(...framesOf(reader));
  }
  expect(concat.mock.calls.length).toBeLessThanOrEqual(2);
  expect(read.map((frame) => frame.content.equals(content))).toEqual([true]);
});
