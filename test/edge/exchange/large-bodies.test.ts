import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { freeBuffer } from '../../../src/edge/io/free-buffer.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { Origin, ok, quiet, type Seen, until } from '../wire.ts';

const SIZE = 4 * 1024 * 1024;
const BODY = randomBytes(SIZE);

/** The body in chunks of these sizes, over and over again. */
function chunked(sizes: readonly number[]): Buffer {
  const parts: (Buffer | string)[] = [];
  for (let from = 0, count = 0; from < SIZE; count++) {
    const piece = BODY.subarray(from, from + (sizes[count % sizes.length] as number));
    parts.push(`${piece.length.toString(16)}\r\n`, piece, '\r\n');
    from += piece.length;
  }
  return Buffer.concat([...parts, '0\r\n\r\n'].map((part) => Buffer.from(part)));
}

const LENGTH = `Content-Length: ${SIZE}\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const FRAMINGS: [string, string, Buffer][] = [
  ['with a length', LENGTH, BODY],
  ['in chunks as large as a read', CHUNKED, chunked([64 * 1024])],
  ['in chunks that end anywhere in a read', CHUNKED, chunked([20_000, 1, 70_001, 333, 16_384])],
  ['in one chunk', CHUNKED, chunked([SIZE])],
  ['in small chunks and large ones', CHUNKED, chunked([...Array(150).fill(1), ...Array(150).fill(3), 20_000, 1000])],
];

/** Reads on and off, so that all buffers on the way are full at times. */
async function stutter(wire: { pause: () => void; resume: () => void; total: number }, bytes: number): Promise<void> {
  for (let next = SIZE / 4; next < bytes; next += SIZE / 4) {
    await until(() => wire.total >= next, `${next} bytes`);
    wire.pause();
    await quiet(20);
    wire.resume();
  }
}

async function started(change: Parameters<typeof policy>[0] = {}) {
  const origin = await Origin.listen();
  const harness = await EdgeHarness.start(policy(change));
  harness.state({ endpoints: [at(origin)] });
  return { harness, origin, client: await harness.connect() };
}

describe.each(['native', 'http-proxy'] as const)('through the engine %s', (engine) => {
  test.each(FRAMINGS)(
    'an upload %s arrives byte for byte at a service that reads on and off',
    async (_, field, body) => {
      const { origin, client } = await started({ engine });
      const received = Promise.withResolvers<Buffer>();
      origin.script = async (connection) => {
        const [request] = await Promise.all([connection.request(), stutter(connection, SIZE)]);
        received.resolve((request as Seen).body);
        connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
      };
      client.write(`POST / HTTP/1.1\r\nHost: app.test\r\n${field}\r\n`);
      client.write(body);
      expect((await received.promise).equals(BODY)).toBe(true);
      expect((await client.answer('POST')).status).toBe(200);
    },
  );

  test.each(FRAMINGS)(
    'a download %s arrives byte for byte at a client that reads on and off',
    async (_, field, body) => {
      const { origin, client } = await started({ engine });
      origin.script = async (connection) => {
        await connection.request();
        connection.write(`HTTP/1.1 200 OK\r\n${field}\r\n`);
        connection.write(body);
      };
      client.get();
      const [answer] = await Promise.all([client.answer(), stutter(client, SIZE)]);
      expect(answer.complete).toBe(true);
      expect(answer.body.equals(BODY)).toBe(true);
    },
  );
});

test('a body in chunks of one byte goes on in fewer and larger ones', async () => {
  const { origin, client } = await started();
  const received = Promise.withResolvers<Seen>();
  origin.script = async (connection) => {
    received.resolve((await connection.request()) as Seen);
    connection.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Bytes: ${connection.total}\r\n\r\n`);
  };
  const body = BODY.subarray(0, 10_000);
  client.write(`POST / HTTP/1.1\r\nHost: app.test\r\n${CHUNKED}\r\n`);
  await until(() => origin.connections.length > 0, 'the head at the origin');
  client.write(
    Buffer.concat([
      ...[...body].flatMap((byte) => [Buffer.from('1\r\n'), Buffer.of(byte), Buffer.from('\r\n')]),
      Buffer.from('0\r\n\r\n'),
    ]),
  );
  expect((await received.promise).body.equals(body)).toBe(true);
  expect(Number((await client.answer('POST')).fields['x-bytes']?.[0])).toBeLessThan(2 * body.length);
});

test('a tunnel carries large pieces byte for byte, in both directions', async () => {
  const { origin, client } = await started();
  const echoed = Promise.withResolvers<Buffer>();
  origin.script = async (connection) => {
    await connection.head();
    connection.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    const [bytes] = await Promise.all([connection.readExactly(SIZE), stutter(connection, SIZE)]);
    echoed.resolve(bytes);
    connection.write(bytes);
  };
  client.get('/', 'Connection: Upgrade\r\nUpgrade: echo\r\n');
  expect(await client.head()).toContain(' 101 ');
  client.write(BODY);
  expect((await echoed.promise).equals(BODY)).toBe(true);
  expect((await client.readExactly(SIZE)).equals(BODY)).toBe(true);
});

test('a body that came after its head was sent is whole at the endpoint that gets it a second time', async () => {
  const [first, second] = [await Origin.listen(), await Origin.listen()];
  const retries = { max: 1, budget: 1, idempotent: true };
  const harness = await EdgeHarness.start(policy({ balance: 'round-robin', retries }));
  harness.state({ endpoints: [at(first), at(second)] });
  const client = await harness.connect();
  const body = BODY.subarray(0, 60_000);
  const bodies: Buffer[] = [];
  for (const origin of [first, second]) {
    origin.script = async (connection) => {
      bodies.push(((await connection.request()) as Seen).body);
      if (bodies.length === 1) connection.reset();
      else connection.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    };
  }
  client.write(`PUT / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${body.length}\r\n\r\n`);
  await until(() => first.connections.length + second.connections.length === 1, 'the first attempt');
  const total = () => Math.max(0, ...[first, second].flatMap((origin) => origin.connections).map((each) => each.total));
  await until(() => total() > 0, 'its head');
  client.write(body);
  expect((await client.answer('PUT')).status).toBe(200);
  expect(bodies.map((each) => each.equals(body))).toEqual([true, true]);
});

describe('the memory of a buffer', () => {
  test('is given back', () => {
    const buffer = Buffer.allocUnsafeSlow(64 * 1024);
    freeBuffer(buffer);
    expect([buffer.length, buffer.buffer.detached]).toEqual([0, true]);
  });

  test('is kept where others may use a part of it', () => {
    const whole = Buffer.alloc(64 * 1024, 'x');
    freeBuffer(whole.subarray(0, 32 * 1024));
    freeBuffer(whole.subarray(1));
    expect(whole.equals(Buffer.alloc(64 * 1024, 'x'))).toBe(true);
  });
});

test('a client that reads no answer before its whole body is sent gets the one that came early', async () => {
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    connection.write(ok('too large', '', '413 Told'));
  });
  const routes = [
    { host: 'app.test', path: '/', service: 'app' },
    { host: 'small.test', path: '/', service: 'app', maxBody: 2 ** 20 },
  ];
  const h = await EdgeHarness.start(policy(), { routes });
  h.state({ endpoints: [at(origin)] });
  const body = Buffer.alloc(8 * 2 ** 20, 'x');
  const length = `Content-Length: ${body.length}\r\n\r\n`;
  const chunked = `Transfer-Encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`;
  for (const [host, framing, status] of [
    ['app.test', length, 413],
    ['app.test', chunked, 413],
    ['small.test', length, 413],
    ['small.test', chunked, 413],
    ['nobody.test', length, 404],
  ] as const) {
    const client = await h.connect();
    client.pause();
    client.write(`POST / HTTP/1.1\r\nHost: ${host}\r\n${framing}`);
    client.write(body);
    if (framing === chunked) client.write('\r\n0\r\n\r\n');
    await until(() => client.socket.writableLength === 0 || client.socket.destroyed, 'the body to be sent');
    client.resume();
    expect((await client.answer()).status).toBe(status);
    expect(await client.untilOver()).toBe('end');
    client.destroy();
  }
  await h.connections(0);
});

test('an answer that came before the upstream closed on the body is passed on, whole', async () => {
  const page = 'x'.repeat(10_000);
  const origin = await Origin.listen(async (connection) => {
    await connection.head();
    connection.write(ok(page, '', '413 Told'));
    connection.destroy();
  });
  const h = await EdgeHarness.ready(origin);
  for (let i = 0; i < 20; i++) {
    const client = await h.connect();
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: ${SIZE}\r\n\r\n`);
    client.write(BODY);
    const answer = await client.answer();
    expect([answer.status, answer.complete, answer.text === page]).toEqual([413, true, true]);
    client.destroy();
  }
  await h.inFlight(0);
  await h.connections(0);
  expect(await h.sum('resets')).toBe(0);
});
