import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contentCodings } from '../../../src/model/compress-settings.ts';
import { quiet } from '../wire.ts';
import { accepting, compressing, decoded } from './compressing.ts';

/** A byte over and over again, or one that follows from the one before, so that there is something to find. */
const run = fc.oneof(
  fc.record({
    byte: fc.integer({ min: 0, max: 255 }),
    step: fc.constant(0),
    length: fc.integer({ min: 1, max: 90_000 }),
  }),
  fc.record({ byte: fc.integer({ min: 0, max: 255 }), step: fc.nat(255), length: fc.integer({ min: 1, max: 3000 }) }),
);
const content = fc
  .array(run, { maxLength: 8 })
  .map((runs) =>
    Buffer.concat(runs.map(({ byte, step, length }) => Buffer.from(Array.from({ length }, (_, i) => byte + i * step)))),
  );
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 100_000 })), {
  minLength: 1,
  maxLength: 6,
});

test('whatever the content, and however it is cut, it comes whole', async () => {
  const { harness, origin } = await compressing(() => {}, { minBytes: 1 });
  const client = await harness.connect();
  const cut = { framing: fc.constantFrom('length', 'chunks'), writes: sizes, chunks: sizes, pause: fc.boolean() };
  await fc.assert(
    fc.asyncProperty(content, fc.constantFrom(...contentCodings), fc.record(cut), async (bytes, coding, how) => {
      client.get('/', accepting(coding));
      const connection = await origin.connection();
      await connection.request();
      const framing = how.framing === 'length' ? `Content-Length: ${bytes.length}` : 'Transfer-Encoding: chunked';
      const head = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n${framing}\r\n\r\n`);
      const message = Buffer.concat([head, how.framing === 'length' ? bytes : chunked(bytes, how.chunks)]);
      const answer = client.answer();
      for (const piece of pieces(message, how.writes)) {
        connection.write(piece);
        if (how.pause) await quiet(1);
      }
      const { body, complete, fields } = await answer;
      const isCoded = fields['content-encoding'] !== undefined;
      expect(complete).toBe(true);
      if (isCoded) expect(fields['content-encoding']).toEqual([coding]);
      expect((isCoded ? decoded(coding, body) : body).equals(bytes)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

/** Cuts bytes: the last size holds for all that is left, in no more than 30 pieces. */
function pieces(bytes: Buffer, sizesOf: readonly number[]): Buffer[] {
  const out: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length && i < 30; i++) {
    const end = i === 29 ? bytes.length : at + (sizesOf[Math.min(i, sizesOf.length - 1)] as number);
    out.push(bytes.subarray(at, end));
    at = end;
  }
  return out;
}

function chunked(bytes: Buffer, sizesOf: readonly number[]): Buffer {
  const chunks = pieces(bytes, sizesOf).map((piece) =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]),
  );
  return Buffer.concat([...chunks, Buffer.from('0\r\n\r\n')]);
}
