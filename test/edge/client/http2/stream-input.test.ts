import { expect, test } from 'vitest';
import type { FrameSender } from '../../../../src/edge/client/http2/frame-sender.ts';
import { StreamInput } from '../../../../src/edge/client/http2/stream-input.ts';

test('content that waits in tiny pieces goes on in few, whole and in order, and no more of it is given back', () => {
  const pieces: Buffer[] = [];
  let ends = 0;
  let credit = 0;
  const sender = {
    credit: (_stream: number, bytes: number) => {
      credit += bytes;
    },
  } as unknown as FrameSender;
  const input = new StreamInput({ onContent: (piece) => pieces.push(piece), onContentEnd: () => ends++ }, sender);
  input.begin(1, false);
  const all = Buffer.from(Array.from({ length: 65_535 }, (_, i) => i % 251));
  for (let at = 0; at < all.length; at++) {
    expect(input.expect(1)).toBe(true);
    input.take(all, at, at + 1);
  }
  expect(input.expect(1)).toBe(false);
  expect(credit).toBe(0);
  input.flow();
  expect(credit).toBeGreaterThan(all.length / 2);
  expect(credit).toBeLessThanOrEqual(all.length);
  input.end();
  expect([Buffer.concat(pieces).equals(all), ends]).toEqual([true, 1]);
  expect(pieces[0]?.length).toBeGreaterThan(60_000);
});
