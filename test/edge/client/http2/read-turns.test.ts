import type { Socket } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ReadTurns } from '../../../../src/edge/client/http2/read-turns.ts';
import { FrameReader } from '../../../../src/edge/http2/frame-reader.ts';
import { VirtualClock } from '../../../../src/util/virtual-clock.ts';
import { frame, PREFACE, Type } from '../../../support/http2-frames.ts';

const nothing = () => {};
const nextTurn = () => new Promise(setImmediate);
const small = (count: number) => Array.from({ length: count }, (_, id) => frame(Type.PRIORITY, 0, id + 1, 'abcde'));

/** A connection of which each frame takes its time, ms. */
class Slow {
  readonly seen: number[] = [];
  isPaused = false;
  longTurns = 0;
  /** How many frames were read when all were. */
  readonly caughtUp: number[] = [];
  readonly clock = new VirtualClock();
  readonly reader: FrameReader;
  readonly turns: ReadTurns;

  constructor(frameMs: number) {
    const onFrame = (_type: number, _flags: number, stream: number) => {
      this.seen.push(stream);
      this.clock.advance(frameMs);
    };
    const rest = { onDataBegin: nothing, onData: nothing, onDataEnd: nothing, onBroken: nothing };
    this.reader = new FrameReader({ onFrame, ...rest });
    const pause = () => {
      this.isPaused = true;
    };
    const resume = () => {
      this.isPaused = false;
    };
    const socket = { pause, resume } as unknown as Socket;
    this.turns = new ReadTurns(socket, this.reader, this.clock, {
      onLongTurn: () => this.longTurns++,
      onCaughtUp: () => this.caughtUp.push(this.seen.length),
    });
    this.take(PREFACE);
  }

  take(bytes: Buffer): void {
    const again = Buffer.from(bytes);
    this.turns.take(again, again.length);
    // The buffer is read into again.
    again.fill(0xff);
  }
}

test('frames that take longer than a turn wait for the next ones, in their order, and no more is read', async () => {
  const slow = new Slow(0.1);
  slow.take(Buffer.concat(small(10)));
  expect([slow.seen, slow.isPaused, slow.turns.behind]).toEqual([[1, 2, 3], true, 7 * 14]);
  await nextTurn();
  expect([slow.seen.length, slow.isPaused, slow.longTurns]).toEqual([6, true, 2]);
  for (let turn = 0; turn < 3; turn++) await nextTurn();
  expect([slow.seen, slow.isPaused, slow.turns.behind]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], false, 0]);
});

test('whoever waits for all to be read is told when it is, and what is read next has its own time', async () => {
  const slow = new Slow(0.1);
  slow.take(Buffer.concat(small(5)));
  await nextTurn();
  expect([slow.seen.length, slow.caughtUp]).toEqual([5, [5]]);
  slow.clock.advance(10);
  slow.take(Buffer.concat(small(2)));
  expect([slow.seen.length, slow.isPaused]).toEqual([7, false]);
});

test('several reads of one turn have the time of one', async () => {
  const slow = new Slow(0.1);
  const [a, b, c, d] = small(4) as [Buffer, Buffer, Buffer, Buffer];
  slow.take(a);
  slow.take(b);
  expect(slow.isPaused).toBe(false);
  slow.take(c);
  expect(slow.isPaused).toBe(true);
  // TLS may bring more all the same.
  slow.take(d);
  expect(slow.seen).toEqual([1, 2, 3]);
  await nextTurn();
  expect([slow.seen, slow.isPaused]).toEqual([[1, 2, 3, 4], false]);
});

test('nothing is lost or doubled, in whatever pieces it comes and however long it takes', async () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(0, 0.05, 0.1, 0.3), fc.nat(40), pieces, async (frameMs, count, sizes) => {
      const slow = new Slow(frameMs);
      const all = Buffer.concat(small(count));
      for (let at = 0, turn = 0; at < all.length; turn++) {
        const size = sizes[turn % sizes.length] as number;
        slow.take(all.subarray(at, at + size));
        at += size;
        if (turn % 3 === 2) await nextTurn();
      }
      while (slow.isPaused) await nextTurn();
      expect(slow.seen).toEqual(Array.from({ length: count }, (_, id) => id + 1));
    }),
    { numRuns: 50 },
  );
});

test('of a client from whom nothing is taken any more, what it sends is dropped slowly', async () => {
  const slow = new Slow(0);
  slow.reader.stop();
  for (let reads = 0; reads < 16; reads++) slow.take(Buffer.alloc(64));
  expect(slow.isPaused).toBe(false);
  slow.take(Buffer.alloc(64));
  expect(slow.isPaused).toBe(true);
  await nextTurn();
  expect(slow.isPaused).toBe(true);
  slow.clock.advance(100);
  expect([slow.isPaused, slow.seen, slow.longTurns]).toEqual([false, [], 0]);
  slow.take(Buffer.alloc(64));
  expect(slow.isPaused).toBe(true);
});

test('a connection that is closed reads nothing of what waits', async () => {
  const slow = new Slow(0.3);
  slow.take(Buffer.concat(small(5)));
  slow.turns.close();
  await nextTurn();
  expect([slow.seen, slow.isPaused]).toEqual([[1], true]);
});
