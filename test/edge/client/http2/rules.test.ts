import { describe, expect, onTestFinished, test } from 'vitest';
import { ErrorCode } from '../../../../src/edge/http2/frames.ts';
import {
  block,
  byIndex,
  Flag,
  FrameClient,
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
import { answering, Origin, ok, quiet, silent, until } from '../../wire.ts';

async function stage(script = answering()): Promise<{ client: FrameClient; h: EdgeHarness; origin: Origin }> {
  const origin = await Origin.listen(script);
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
  h.state({ endpoints: [at(origin)] });
  const client = await FrameClient.open(h.port);
  onTestFinished(() => client.destroy());
  await until(() => client.of(Type.SETTINGS).length === 2, 'settings of the edge, and that it has ours');
  return { client, h, origin };
}

const POST = [[':method', 'POST'], ...REQUEST.slice(1)] as const;
const open = (id: number) => frame(Type.HEADERS, Flag.END_HEADERS, id, block([], POST));
const priority = (id: number, on: number) => frame(Type.PRIORITY, 0, id, Buffer.from([0, 0, 0, on, 3]));

describe('a breach that concerns the connection ends it', () => {
  test.each<[string, Buffer[], number]>([
    [
      'a frame of the connection on a stream: PING',
      [frame(Type.PING, 0, 1, Buffer.alloc(8))],
      ErrorCode.PROTOCOL_ERROR,
    ],
    ['… SETTINGS', [frame(Type.SETTINGS, 0, 1)], ErrorCode.PROTOCOL_ERROR],
    ['… GOAWAY', [frame(Type.GOAWAY, 0, 1, Buffer.alloc(8))], ErrorCode.PROTOCOL_ERROR],
    ['a frame of a stream on the connection: DATA', [frame(Type.DATA, 0, 0, 'x')], ErrorCode.PROTOCOL_ERROR],
    ['… HEADERS', [request(0)], ErrorCode.PROTOCOL_ERROR],
    ['… RST_STREAM', [reset(0)], ErrorCode.PROTOCOL_ERROR],
    ['… PRIORITY', [priority(0, 1)], ErrorCode.PROTOCOL_ERROR],
    ['a stream of the server', [request(2)], ErrorCode.PROTOCOL_ERROR],
    ['a stream whose number goes back', [request(5), request(3)], ErrorCode.STREAM_CLOSED],
    ['DATA on a stream that was not begun', [frame(Type.DATA, 0, 7, 'x')], ErrorCode.PROTOCOL_ERROR],
    ['RST_STREAM on one', [reset(7)], ErrorCode.PROTOCOL_ERROR],
    ['WINDOW_UPDATE on one', [windowUpdate(7, 1)], ErrorCode.PROTOCOL_ERROR],
    ['a window that does not grow', [windowUpdate(0, 0)], ErrorCode.PROTOCOL_ERROR],
    ['a window that grows too large', [windowUpdate(0, 2 ** 31 - 1)], ErrorCode.FLOW_CONTROL_ERROR],
    ['PING of another size', [frame(Type.PING, 0, 0, 'x')], ErrorCode.FRAME_SIZE_ERROR],
    ['SETTINGS that are not whole', [frame(Type.SETTINGS, 0, 0, 'x')], ErrorCode.FRAME_SIZE_ERROR],
    [
      'an acknowledgement of more than nothing',
      [frame(Type.SETTINGS, Flag.ACK, 0, 'xxxxxx')],
      ErrorCode.FRAME_SIZE_ERROR,
    ],
    ['RST_STREAM of another size', [open(1), frame(Type.RST_STREAM, 0, 1, 'x')], ErrorCode.FRAME_SIZE_ERROR],
    ['WINDOW_UPDATE of another size', [frame(Type.WINDOW_UPDATE, 0, 0, 'x')], ErrorCode.FRAME_SIZE_ERROR],
    ['GOAWAY that is too short', [frame(Type.GOAWAY, 0, 0, 'x')], ErrorCode.FRAME_SIZE_ERROR],
    [
      'a window of streams beyond what one may be',
      [settings([Setting.INITIAL_WINDOW_SIZE, 2 ** 31])],
      ErrorCode.FLOW_CONTROL_ERROR,
    ],
    ['frames larger than frames can be', [settings([5, 2 ** 24])], ErrorCode.PROTOCOL_ERROR],
    ['frames smaller than they have to be', [settings([5, 16_383])], ErrorCode.PROTOCOL_ERROR],
    ['pushes that are neither on nor off', [settings([2, 2])], ErrorCode.PROTOCOL_ERROR],
    ['a push', [frame(Type.PUSH_PROMISE, Flag.END_HEADERS, 1, 'xxxx')], ErrorCode.PROTOCOL_ERROR],
    ['CONTINUATION of nothing', [frame(Type.CONTINUATION, Flag.END_HEADERS, 1)], ErrorCode.PROTOCOL_ERROR],
    ['a frame within a head', [frame(Type.HEADERS, 0, 1, block()), ping()], ErrorCode.PROTOCOL_ERROR],
    [
      'content within a head',
      [open(1), frame(Type.HEADERS, 0, 3, block()), frame(Type.DATA, 0, 1, 'x')],
      ErrorCode.PROTOCOL_ERROR,
    ],
    [
      'the head of another stream within a head',
      [frame(Type.HEADERS, 0, 1, block()), frame(Type.CONTINUATION, Flag.END_HEADERS, 3)],
      ErrorCode.PROTOCOL_ERROR,
    ],
    [
      'a head that is no block of fields',
      [frame(Type.HEADERS, Flag.END_HEADERS, 1, byIndex(99))],
      ErrorCode.COMPRESSION_ERROR,
    ],
    [
      'a head with more padding than there is',
      [frame(Type.HEADERS, Flag.END_HEADERS | Flag.PADDED, 1, '\x09a')],
      ErrorCode.PROTOCOL_ERROR,
    ],
    ['a frame that is too large', [frame(99, 0, 0, 'x'.repeat(16_385))], ErrorCode.FRAME_SIZE_ERROR],
    [
      'more content than the connection lets come',
      [open(1), ...Array.from({ length: 5 }, () => frame(Type.DATA, 0, 1, 'x'.repeat(16_384)))],
      -1,
    ],
  ])('%s', async (_name, frames, code) => {
    const { client, h } = await stage(silent);
    client.send(...frames);
    if (code < 0) {
      // The connection gives credit as it reads; the stream does not.
      await until(() => client.resetOf(1) !== undefined, 'the end of the stream');
      expect(client.resetOf(1)).toBe(ErrorCode.FLOW_CONTROL_ERROR);
      return;
    }
    await until(() => client.closed || client.goaways.length > 0, 'the end of the connection');
    expect(client.goaways).toEqual([code]);
    await h.inFlight(0);
  });
});

describe('a breach that concerns one stream ends that one', () => {
  test.each<[string, Buffer[], number]>([
    ['content behind its end', [request(1), frame(Type.DATA, 0, 1, 'x')], ErrorCode.STREAM_CLOSED],
    ['a head behind its end', [request(1), request(1)], ErrorCode.STREAM_CLOSED],
    ['a second head that is not its end', [open(1), open(1)], ErrorCode.PROTOCOL_ERROR],
    ['a window that does not grow', [open(1), windowUpdate(1, 0)], ErrorCode.PROTOCOL_ERROR],
    ['a window that grows too large', [open(1), windowUpdate(1, 2 ** 31 - 1)], ErrorCode.FLOW_CONTROL_ERROR],
    ['PRIORITY of another size', [open(1), frame(Type.PRIORITY, 0, 1, 'x')], ErrorCode.FRAME_SIZE_ERROR],
    ['a stream that depends on itself', [open(1), priority(1, 1)], ErrorCode.PROTOCOL_ERROR],
  ])('%s', async (_name, frames, code) => {
    const { client, origin } = await stage(silent);
    client.send(...frames);
    await until(() => client.resetOf(1) !== undefined, 'the end of the stream');
    expect([client.resetOf(1), client.goaways]).toEqual([code, []]);
    origin.script = answering();
    client.send(request(3));
    await until(() => client.hasEnded(3), 'the answer on another stream');
  });
});

describe('what is no breach', () => {
  test.each<[string, Buffer[]]>([
    [
      'a head in many frames',
      [
        frame(Type.HEADERS, Flag.END_STREAM, 1, block().subarray(0, 3)),
        frame(Type.CONTINUATION, 0, 1, block().subarray(3, 20)),
        frame(Type.CONTINUATION, Flag.END_HEADERS, 1, block().subarray(20)),
      ],
    ],
    [
      'a head with padding and priority',
      [
        frame(
          Type.HEADERS,
          Flag.END_STREAM | Flag.END_HEADERS | Flag.PADDED | Flag.PRIORITY,
          1,
          Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 9]), block(), Buffer.alloc(2)]),
        ),
      ],
    ],
    ['frames and settings that nobody knows', [frame(77, 255, 5, 'xyz'), settings([4242, 1]), request(1)]],
    ['priority of a stream to come', [priority(9, 1), request(1)]],
    ['frames for a stream that its client has reset', [open(3), reset(3), windowUpdate(3, 9), request(5), request(7)]],
    ['content in padded frames', [open(1), frame(Type.DATA, Flag.PADDED | Flag.END_STREAM, 1, '\x02ab\0\0')]],
    [
      'a bit that is reserved',
      [Buffer.concat([request(1).subarray(0, 5), Buffer.from([0x80, 0, 0, 1]), request(1).subarray(9)])],
    ],
  ])('%s', async (_name, frames) => {
    const { client } = await stage(answering(({ body }) => ok(body.toString())));
    client.send(...frames, request(101));
    await until(() => client.hasEnded(101), 'the last answer');
    expect([client.goaways, client.of(Type.RST_STREAM)]).toEqual([[], []]);
  });

  test('PING is answered with what it holds', async () => {
    const { client } = await stage();
    client.send(frame(Type.PING, 0, 0, '12345678'));
    await until(() => client.of(Type.PING).length > 0, 'the answer');
    expect(client.of(Type.PING)).toMatchObject([{ flags: Flag.ACK, stream: 0, payload: Buffer.from('12345678') }]);
  });
});

describe('windows', () => {
  const big = ok('y'.repeat(40_000));

  test('bound what is sent on a stream, and may grow and shrink', async () => {
    const { client } = await stage(answering(() => big));
    client.send(settings([Setting.INITIAL_WINDOW_SIZE, 10]), request(1));
    await until(() => client.bodyOf(1).length === 10, 'what the window lets through');
    client.send(settings([Setting.INITIAL_WINDOW_SIZE, 3]), windowUpdate(1, 7));
    await quiet();
    expect(client.bodyOf(1).length).toBe(10);
    client.send(windowUpdate(1, 5));
    await until(() => client.bodyOf(1).length === 15, 'what was let through more');
    client.send(settings([Setting.INITIAL_WINDOW_SIZE, 100_000]));
    await until(() => client.hasEnded(1), 'all of the answer');
    expect(client.bodyOf(1).length).toBe(40_000);
  });

  test('of the connection bound all streams together, which share it', async () => {
    const { client } = await stage(answering(() => big));
    client.send(request(1), request(3));
    await until(() => client.bodyOf(1).length + client.bodyOf(3).length === 65_535, 'what the window lets through');
    expect(Math.min(client.bodyOf(1).length, client.bodyOf(3).length)).toBeGreaterThan(16_000);
    client.send(windowUpdate(0, 100_000));
    await until(() => client.hasEnded(1) && client.hasEnded(3), 'both answers');
  });

  test('of what a client sends are given back as it is taken, and not before', async () => {
    const { client, h, origin } = await stage();
    h.state();
    client.send(open(1), frame(Type.DATA, 0, 1, 'first'));
    await h.held(1);
    client.send(...Array.from({ length: 3 }, () => frame(Type.DATA, 0, 1, 'x'.repeat(16_000))));
    await until(() => client.of(Type.WINDOW_UPDATE, 0).length > 0, 'credit of the connection');
    expect(client.of(Type.WINDOW_UPDATE, 1)).toEqual([]);
    h.state({ endpoints: [at(origin)] });
    await until(() => client.of(Type.WINDOW_UPDATE, 1).length > 0, 'credit of the stream');
    expect(client.of(Type.WINDOW_UPDATE, 1)[0]?.payload.readUInt32BE(0)).toBeGreaterThan(32_000);
    client.send(frame(Type.DATA, Flag.END_STREAM, 1));
    await until(() => client.hasEnded(1), 'the answer');
  });
});
