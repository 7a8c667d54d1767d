import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  block,
  byIndex,
  Code,
  Flag,
  FrameClient,
  field,
  frame,
  indexedField,
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
import { Http2Client } from './http2-client.ts';

async function ready(origin: Origin, oddities = 1000): Promise<EdgeHarness> {
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true, limits: { http2: { streams: 100, oddities } } });
  h.state({ endpoints: [at(origin)] });
  return h;
}

async function attacker(h: EdgeHarness, ...pairs: [number, number][]): Promise<FrameClient> {
  const client = await FrameClient.open(h.port, ...pairs);
  onTestFinished(() => client.destroy());
  await until(() => client.of(Type.SETTINGS).length > 0, 'settings of the edge');
  return client;
}

const ids = (count: number, from = 0) => Array.from({ length: count }, (_, i) => 2 * (i + from) + 1);

/** Others are served as ever. */
async function othersAreServed(h: EdgeHarness): Promise<void> {
  const client = await Http2Client.open(h.port);
  expect(await client.get('/other')).toMatchObject({ status: 200, reset: 0 });
}

test('many large heads at once are no offence, though it takes many turns to read them', async () => {
  const origin = await Origin.listen(answering());
  const h = await ready(origin, 300);
  let calls = 0;
  vi.spyOn(h.clock, 'now').mockImplementation(() => ++calls / 10);
  const client = await Http2Client.open(h.port);
  const token = (each: number) => `${each}`.repeat(1500).slice(0, 3000);
  const asked = Array.from({ length: 100 }, (_, each) => client.get('/', { authorization: token(100 + each) }));
  for (const answer of await Promise.all(asked)) expect(answer).toMatchObject({ status: 200, reset: 0 });
  expect((await h.report()).http2Cut ?? {}).toEqual({});
});

describe('requests that are taken back', () => {
  test('in the read that brings them reach no service, and are not borne for long', async () => {
    const origin = await Origin.listen(answering());
    const h = await ready(origin);
    const client = await attacker(h);
    client.send(...ids(50).flatMap((id) => [request(id), reset(id)]));
    await quiet();
    expect([client.goaways, origin.connections.length]).toEqual([[], 0]);
    client.send(...ids(400, 50).flatMap((id) => [request(id), reset(id)]));
    await until(() => client.closed, 'the end of the connection');
    expect([client.goaways.at(-1), origin.connections.length]).toEqual([Code.ENHANCE_YOUR_CALM, 0]);
    expect((await h.report()).http2Cut).toEqual({ reset: 1 });
    await othersAreServed(h);
    expect(await h.sum('arrivals')).toBe(1);
  });

  test('one by one end the connection, and leave nothing in flight', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await attacker(h);
    for (const id of ids(300)) {
      client.send(request(id));
      await until(() => client.closed || origin.connections.length > id / 2, 'the request at the service');
      if (client.closed) break;
      client.send(reset(id));
    }
    await until(() => client.closed, 'the end of the connection');
    expect(client.goaways.at(-1)).toBe(Code.ENHANCE_YOUR_CALM);
    expect(origin.connections.length).toBeLessThan(210);
    await h.inFlight(0);
  });

  test('now and then are no offence', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin, 100);
    const client = await Http2Client.open(h.port);
    for (let i = 0; i < 50; i++) {
      const sent = client.send();
      await h.inFlight(1);
      sent.stream.close(Code.CANCEL);
      await h.inFlight(0);
      h.clock.advance(600);
    }
    expect([client.closed, client.goaway]).toEqual([false, undefined]);
  });
});

describe('requests that the edge is made to reset', () => {
  test.each([
    ['by a window of no growth', (id: number) => [request(id), windowUpdate(id, 0)]],
    [
      'by content of another length',
      (id: number) => [
        frame(Type.HEADERS, Flag.END_HEADERS, id, block([['content-length', '3']])),
        frame(Type.DATA, Flag.END_STREAM, id, 'more'),
      ],
    ],
    ['by content behind their end', (id: number) => [request(id), frame(Type.DATA, 0, id, 'x')]],
    ['by a window that grows too large', (id: number) => [request(id), windowUpdate(id, 2 ** 31 - 1)]],
    ['by fields that are none', (id: number) => [request(id, [['connection', 'close']])]],
    ['by an upper-case name', (id: number) => [request(id, [['X-Upper', 'a']])]],
  ])('%s', async (_name, frames) => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await attacker(h);
    for (let i = 0; i < 3000 && !client.closed; i += 20) {
      client.send(...ids(20, i).flatMap(frames));
      await quiet(6);
    }
    await until(() => client.closed, 'the end of the connection');
    await h.inFlight(0);
    origin.script = answering();
    await othersAreServed(h);
  });
});

describe('frames without end', () => {
  const open = (id: number) => frame(Type.HEADERS, Flag.END_HEADERS, id, block());

  test.each<[string, Buffer, Buffer[], number, string]>([
    ['PING', Buffer.alloc(0), [ping()], 2000, 'ping'],
    ['SETTINGS', Buffer.alloc(0), [settings()], 500, 'settings'],
    ['SETTINGS that change something', Buffer.alloc(0), [settings([Setting.HEADER_TABLE_SIZE, 0])], 500, 'settings'],
    ['empty DATA', open(1), [frame(Type.DATA, 0, 1)], 3000, 'protocol'],
    [
      'CONTINUATION',
      frame(Type.HEADERS, Flag.END_STREAM, 1, block()),
      [frame(Type.CONTINUATION, 0, 1, field('a', 'b'.repeat(100)))],
      3000,
      'protocol',
    ],
    [
      'empty CONTINUATION',
      frame(Type.HEADERS, Flag.END_STREAM, 1, block()),
      [frame(Type.CONTINUATION, 0, 1)],
      3000,
      'protocol',
    ],
  ])('%s end the connection', async (_name, first, flood, count, reason) => {
    const origin = await Origin.listen(answering());
    const h = await ready(origin);
    const client = await attacker(h);
    client.send(first);
    for (let i = 0; i < count && !client.closed; i += 100) {
      client.send(...Array.from({ length: 100 }, () => flood).flat());
      await quiet(6);
    }
    await until(() => client.closed, 'the end of the connection');
    await h.connections(0);
    const told = h
      .all('report')
      .map(({ http2Cut }) => http2Cut)
      .filter((each) => each !== undefined);
    expect(told).toEqual([{ [reason]: 1 }]);
    await othersAreServed(h);
  });
});

describe('bytes that make no request and no content', () => {
  const priority = (id: number) => frame(Type.PRIORITY, 0, id, Buffer.from([0, 0, 0, 0, 3]));
  const bomb = Buffer.concat([
    block(),
    indexedField('x', 'v'.repeat(4000)),
    ...Array.from({ length: 10_000 }, () => byIndex(62)),
  ]);

  test.each<[string, (id: number) => Buffer, number]>([
    ['WINDOW_UPDATE', () => windowUpdate(0, 1), 10_000],
    ['PRIORITY', (id) => priority(id), 10_000],
    ['frames of no type that is known', () => frame(99, 0, 0, 'x'.repeat(90)), 1200],
    ['frames for a stream that is over', (id) => frame(Type.RST_STREAM, 0, id % 100, Buffer.alloc(4)), 0],
    [
      'heads that expand without end',
      (id) =>
        Buffer.concat([
          frame(Type.HEADERS, Flag.END_STREAM, id, bomb.subarray(0, 16_384)),
          frame(Type.CONTINUATION, Flag.END_HEADERS, id, bomb.subarray(16_384)),
        ]),
      10,
    ],
    ['padding', (id) => frame(Type.DATA, Flag.PADDED, id, Buffer.alloc(200, 199)), 0],
  ])('%s end the connection', async (_name, one, count) => {
    const origin = await Origin.listen(answering());
    const h = await ready(origin);
    const client = await attacker(h);
    if (count === 0) client.send(frame(Type.HEADERS, Flag.END_HEADERS, 1, block()));
    for (let i = 0; i < 40 && !client.closed; i++) {
      client.send(
        ...(count === 0 ? Array.from({ length: 500 }, () => one(1)) : ids(count / 10, i * (count / 10)).map(one)),
      );
      await h.pass(100, 50);
    }
    await until(() => client.closed, 'the end of the connection');
    await h.connections(0);
    await h.report();
    const cut = h.all('report').flatMap(({ http2Cut }) => Object.keys(http2Cut ?? {}));
    expect(cut).toHaveLength(1);
    await othersAreServed(h);
  });

  test('are no more than clients need that take and send much', async () => {
    const origin = await Origin.listen(
      answering(({ line, body }) => ok(line.startsWith('POST') ? String(body.length) : 'y'.repeat(2_000_000))),
    );
    const h = await ready(origin);
    const client = await Http2Client.open(h.port, { maxSessionMemory: 100 });
    for (let i = 0; i < 3; i++) {
      const sent = client.send({ ':method': 'POST' }, Buffer.alloc(1_000_000));
      const [answer] = await Promise.all([sent.answer(), client.get(), h.pass(600)]);
      expect(answer.text).toBe('1000000');
      await h.pass(600);
    }
    expect([client.closed, client.goaway]).toEqual([false, undefined]);
  });

  test('are not those of a body that waits, nor of one that nobody wants any more', async () => {
    const h = await ready(await Origin.listen(silent));
    h.state();
    const client = await Http2Client.open(h.port);
    for (let i = 0; i < 10; i++) {
      const waiting = client.send({ ':method': 'POST' }, Buffer.alloc(60_000));
      await h.held(1);
      await h.pass(600);
      waiting.stream.close(Code.CANCEL);
      await h.held(0);
      await h.pass(600);
    }
    expect([client.closed, client.goaway]).toEqual([false, undefined]);
  });
});

describe('a head that is too large', () => {
  test('is refused though its client never acknowledges our limits', async () => {
    const origin = await Origin.listen(answering());
    const h = await ready(origin);
    const client = await attacker(h);
    const fields = Array.from({ length: 7 }, (_, i) => [`x-${i}`, 'v'.repeat(8000)] as const);
    const bytes = block(fields);
    client.send(frame(Type.HEADERS, Flag.END_STREAM, 1, bytes.subarray(0, 16_384)));
    for (let from = 16_384; from < bytes.length; from += 16_384) {
      const isLast = from + 16_384 >= bytes.length;
      client.send(frame(Type.CONTINUATION, isLast ? Flag.END_HEADERS : 0, 1, bytes.subarray(from, from + 16_384)));
    }
    await until(
      () => client.closed || client.statusOf(1) !== undefined || client.resetOf(1) !== undefined,
      'a refusal',
    );
    expect([undefined, 431]).toContain(client.statusOf(1));
    expect(origin.connections.length).toBe(0);
    await othersAreServed(h);
  });

  test('grows no further by naming one entry of the table again and again', async () => {
    const origin = await Origin.listen(answering());
    const h = await ready(origin);
    const client = await attacker(h);
    const bomb = Buffer.concat([
      block(),
      indexedField('x', 'v'.repeat(4000)),
      ...Array.from({ length: 16_000 }, () => byIndex(62)),
    ]);
    const before = process.memoryUsage().rss;
    for (const id of ids(20)) {
      client.send(
        frame(Type.HEADERS, Flag.END_STREAM, id, bomb.subarray(0, 16_384)),
        frame(Type.CONTINUATION, Flag.END_HEADERS, id, bomb.subarray(16_384)),
      );
    }
    await until(() => client.closed || client.of(Type.RST_STREAM).length > 0, 'a refusal');
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 2 ** 20);
    expect(origin.connections.length).toBe(0);
    await othersAreServed(h);
  });

  test('with a few fields too many is answered', async () => {
    const origin = await Origin.listen(answering());
    const h = await ready(origin);
    const client = await attacker(h);
    client.send(
      request(
        1,
        Array.from({ length: 110 }, (_, i) => [`x-${i}`, 'v'] as const),
      ),
    );
    await until(() => client.statusOf(1) !== undefined, 'an answer');
    expect(client.statusOf(1)).toBe(431);
    client.send(request(3));
    await until(() => client.hasEnded(3), 'the next answer');
  });
});

describe('a client that takes nothing', () => {
  const big = ok('y'.repeat(1_000_000));

  test('of one stream loses that stream, while others go on', async () => {
    const origin = await Origin.listen(answering(({ line }) => (line.includes('/big') ? big : ok('small'))));
    const h = await ready(origin);
    const client = await attacker(h, [Setting.INITIAL_WINDOW_SIZE, 0]);
    client.send(request(1, [], [...REQUEST.slice(0, 3), [':path', '/big']]));
    await until(() => client.of(Type.HEADERS, 1).length > 0, 'the head');
    for (let i = 1; i <= 70; i++) {
      await h.pass(1000, 500);
      if (client.resetOf(1) !== undefined) break;
    }
    expect(client.resetOf(1)).toBe(Code.CANCEL);
    client.send(request(3), windowUpdate(3, 100));
    await until(() => client.hasEnded(3), 'the other answer');
    expect(h.accessed).toMatchObject([{ ending: 'client-stalled' }, { ending: 'complete' }]);
  });

  test('of many streams leaves nothing behind', async () => {
    const origin = await Origin.listen(answering(() => big));
    const h = await ready(origin);
    const client = await attacker(h, [Setting.INITIAL_WINDOW_SIZE, 0]);
    client.send(...ids(100).map((id) => request(id)));
    await until(() => client.of(Type.HEADERS).length === 100, 'the heads');
    await h.pass(70_000, 500);
    await h.inFlight(0);
    expect(client.of(Type.RST_STREAM).length).toBe(100);
  });

  test('at all is cut off', async () => {
    const origin = await Origin.listen(answering(() => ok('y'.repeat(20_000_000))));
    const h = await ready(origin);
    const client = await attacker(h, [Setting.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]);
    client.send(windowUpdate(0, 2 ** 30));
    client.socket.pause();
    client.send(request(1));
    await origin.connection();
    await quiet(200);
    await h.pass(70_000, 500);
    await h.connections(0);
    expect(h.accessed).toMatchObject([{ ending: 'client-stalled' }]);
  });
});

test('streams beyond the limit are refused, and those within it served', async () => {
  const origin = await Origin.listen(silent);
  const h = await ready(origin);
  const client = await attacker(h);
  client.send(...ids(150).map((id) => request(id)));
  await until(() => client.of(Type.RST_STREAM).length >= 50, 'refusals');
  expect(ids(50, 100).map((id) => client.resetOf(id))).toEqual(Array(50).fill(Code.REFUSED_STREAM));
  await h.inFlight(100);
});
