import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  block,
  Code,
  Flag,
  FrameClient,
  field,
  frame,
  ping,
  REQUEST,
  request,
  reset,
  Setting,
  settings,
  Type,
  windowUpdate,
} from '../../../support/http2-frames.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok, rest } from '../../wire.ts';
import { Http2Client } from './http2-client.ts';

const id = fc.constantFrom(0, 1, 2, 3, 5, 7, 9, 101);
const bytes = fc.uint8Array({ maxLength: 40 }).map((each) => Buffer.from(each));
const posting = block([['te', 'trailers']], [[':method', 'POST'], ...REQUEST.slice(1)]);

/** Frames that make sense in some place, and some that make none. */
const anyFrame = fc.oneof(
  id.map((stream) => request(stream)),
  id.map((stream) => request(stream, [['accept', 'text/html']], [[':method', 'HEAD'], ...REQUEST.slice(1)])),
  id.map((stream) => frame(Type.HEADERS, Flag.END_HEADERS, stream, posting)),
  id.map((stream) => frame(Type.HEADERS, Flag.END_HEADERS | Flag.END_STREAM, stream, field('x-end', '1'))),
  fc.tuple(id, fc.constantFrom(0, Flag.END_STREAM)).map(([stream, flags]) => frame(Type.DATA, flags, stream, 'hello')),
  id.map((stream) => reset(stream)),
  id.map((stream) => reset(stream, Code.NO_ERROR)),
  fc.tuple(id, fc.constantFrom(0, 1, 65_535, 2 ** 31 - 1)).map(([stream, by]) => windowUpdate(stream, by)),
  fc.constantFrom(ping(), settings(), settings([Setting.INITIAL_WINDOW_SIZE, 0]), frame(Type.SETTINGS, Flag.ACK, 0)),
  fc.constantFrom(0, 2).map((code) => frame(Type.GOAWAY, 0, 0, Buffer.from([0, 0, 0, 0, 0, 0, 0, code]))),
  fc
    .tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 255 }), id, bytes)
    .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload)),
);

const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n';

test('whatever frames come, in whatever pieces: others are served, and nothing is left behind', async () => {
  let turn = 0;
  const origin = await Origin.listen(
    answering(() => (turn++ % 3 === 0 ? chunked : ok('y'.repeat(turn % 5 === 0 ? 1e5 : 9)))),
  );
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
  h.state({ endpoints: [at(origin)] });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(anyFrame, fc.boolean()), { maxLength: 30 }),
      fc.boolean(),
      async (all, hangsUp) => {
        const client = await FrameClient.open(h.port);
        for (const [each, waits] of all) {
          client.send(each);
          if (waits) await rest(1);
        }
        if (hangsUp) client.socket.resetAndDestroy();
        else await rest(3);
        client.destroy();
      },
    ),
    { numRuns: 100 },
  );
  // A session of which one side has taken leave may not notice that its client has gone: it asks.
  await h.pass(15_000, 500);
  await h.connections(0);
  await h.inFlight(0);
  const other = await Http2Client.open(h.port);
  expect(await other.get()).toMatchObject({ status: 200, reset: 0 });
}, 120_000);
