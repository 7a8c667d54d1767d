import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { routes, rules } from '../route/rules.ts';
import { answering, type Client, Origin, quiet, until } from '../wire.ts';

const TIMEOUTS = { headMs: 10_000, bodyMs: 30_000, keepAliveMs: 75_000, sendMs: 60_000 };

async function started(timeouts: Partial<typeof TIMEOUTS> = {}) {
  const origin = await Origin.listen();
  const harness = await EdgeHarness.start(policy(), {}, timeouts);
  harness.state({ endpoints: [at(origin)] });
  return { harness, origin, client: await harness.connect() };
}

/** Virtual seconds, each with a moment for the sockets. */
async function seconds(harness: EdgeHarness, count: number, each = async () => {}): Promise<void> {
  for (let i = 0; i < count; i++) {
    await each();
    await quiet(2);
    harness.clock.advance(1000);
  }
  await quiet(20);
}

/** Sends a piece that the edge has read when this settles. */
async function sends(harness: EdgeHarness, client: Client, piece: string): Promise<void> {
  client.write(piece);
  await harness.taken(client);
}

/** Goes on reading for so many bytes, and stops at the moment in which it has them. */
async function takes(client: Client, bytes: number): Promise<void> {
  const goal = client.total + bytes;
  const check = () => {
    if (client.total >= goal) client.pause();
  };
  client.socket.on('data', check);
  client.resume();
  await until(() => client.total >= goal, 'some of the answer');
  client.socket.off('data', check);
}

async function timedOut(client: Client): Promise<void> {
  const answer = await client.answer('POST');
  expect(answer.status).toBe(408);
  expect(answer.fields['connection']).toEqual(['close']);
  expect(await client.untilOver()).toBe('end');
}

describe('a slow head', () => {
  test('is 408 when its time is up, counted from its first byte, though a byte comes every second', async () => {
    const { harness, client, origin } = await started();
    const head = 'GET /slow HTTP/1.1\r\nHost: app.test\r\n\r\n';
    let sent = 0;
    const sendByte = () => sends(harness, client, head[sent++] as string);
    await seconds(harness, 9, sendByte);
    expect(client.total).toBe(0);
    await seconds(harness, 2, sendByte);
    await timedOut(client);
    expect(origin.connections.length).toBe(0);
  });

  test('is 408 on a connection that had requests before, counted anew', async () => {
    const { harness, client } = await started();
    client.get();
    await client.answer();
    await seconds(harness, 20);
    await sends(harness, client, 'GET / HTTP/1.1\r\n');
    await seconds(harness, 9);
    expect(client.available).toBe(0);
    await seconds(harness, 2);
    await timedOut(client);
  });

  test('that does not begin at all closes the connection without an answer', async () => {
    const { harness, client } = await started();
    await seconds(harness, 11);
    expect(await client.untilOver()).toBe('end');
    expect(client.total).toBe(0);
  });

  test('that comes byte by byte in many lines is served when it comes in time', async () => {
    const { client } = await started();
    const lines = 'a:\r\n'.repeat(80);
    for (const byte of `GET / HTTP/1.1\r\nHost: app.test\r\n${lines}\r\n`) {
      client.write(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await client.answer()).status).toBe(200);
  });
});

describe('a slow body', () => {
  test('may take as long as it likes while it moves, and is 408 when it stands still', async () => {
    const { harness, client, origin } = await started();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100\r\n\r\n');
    await seconds(harness, 80, () => sends(harness, client, 'x'));
    expect(client.total).toBe(0);
    await seconds(harness, 28);
    expect(client.total).toBe(0);
    await seconds(harness, 3);
    await timedOut(client);
    await (await origin.connection()).untilOver();
  });

  test('is not counted as slow while it is the proxy that does not read', async () => {
    const harness = await EdgeHarness.start(policy({ hold: { timeoutMs: 100_000 } }), {}, { bodyMs: 5000 });
    harness.state({ holdTimeoutMs: 100_000 });
    const client = await harness.connect();
    client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 300000\r\n\r\n${'x'.repeat(150_000)}`);
    await harness.held(1);
    // It reads on for as much as it keeps.
    await quiet();
    await seconds(harness, 60);
    expect(client.total).toBe(0);
    const origin = await Origin.listen();
    harness.state({ endpoints: [at(origin)] });
    client.write('x'.repeat(150_000));
    expect((await client.answer('POST')).status).toBe(200);
  });
});

const PIECE = Buffer.alloc(64 * 1024, 'x');

/** Answers with as much as is taken, and says how much that was. */
async function flooding(
  origin: Origin,
  bytes: number,
  head: string,
  piece = PIECE,
): Promise<{ written: () => number }> {
  let written = 0;
  origin.script = async (connection) => {
    await connection.request();
    connection.write(head);
    const { socket } = connection;
    while (written < bytes && !socket.destroyed) {
      written += piece.length;
      if (socket.write(piece)) continue;
      await new Promise<void>((resolve) => {
        const done = () => {
          socket.off('drain', done).off('close', done);
          resolve();
        };
        socket.on('drain', done).on('close', done);
      });
    }
  };
  return { written: () => written };
}

/** Waits until a figure stays as it is. */
async function settled(figure: () => number): Promise<number> {
  for (let last = -1; last !== figure(); ) {
    last = figure();
    await quiet(150);
  }
  return figure();
}

/** Sockets that are accepted from now on, in this process: the edge's and the origins'. */
function acceptedSockets(): Socket[] {
  const sockets: Socket[] = [];
  const listener = (message: unknown) => sockets.push((message as { socket: Socket }).socket);
  subscribe('net.server.socket', listener);
  onTestFinished(() => void unsubscribe('net.server.socket', listener));
  return sockets;
}

const SIZE = 100 * 1024 * 1024;
/** What one read of 64 KiB leaves to be sent, behind a little that was written before. */
const ONE_BUFFER = 80 * 1024;

describe('a client that reads nothing', () => {
  test('pushes back to the service: of 100 MiB no more than the kernel’s buffers hold is asked for', async () => {
    const { harness, client, origin } = await started();
    const flood = await flooding(origin, SIZE, `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
    const before = process.memoryUsage().arrayBuffers;
    client.pause();
    client.get();
    await until(() => flood.written() > 0, 'the answer');
    const taken = await settled(flood.written);
    expect(taken).toBeLessThan(SIZE / 4);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    client.resume();
    await until(() => flood.written() > taken + 4 * 1024 * 1024, 'more of the answer');
    await harness.connections(1);
  });

  test.each([
    ['with a length', `Content-Length: ${SIZE}`, PIECE],
    ['that is chunked', 'Transfer-Encoding: chunked', Buffer.from(`${PIECE.length.toString(16)}\r\n${PIECE}\r\n`)],
  ])('holds no more than one buffer of an answer %s', async (_name, field, piece) => {
    const accepted = acceptedSockets();
    const { harness, origin, client } = await started();
    const flood = await flooding(origin, SIZE, `HTTP/1.1 200 OK\r\n${field}\r\n\r\n`, piece);
    client.pause();
    client.get();
    await until(() => flood.written() > 0, 'the answer');
    const edgeEnd = accepted.find(({ localPort }) => localPort === harness.port);
    await until(() => (edgeEnd?.writableLength ?? 0) > 0, 'something that waits for the client');
    await settled(flood.written);
    const waiting = edgeEnd?.writableLength;
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThanOrEqual(ONE_BUFFER);
  });

  test.each([
    ['with a length', `HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`],
    ['that lasts until its connection closes', 'HTTP/1.1 200 OK\r\n\r\n'],
  ])('is cut off when its time is up, and the service is let go: an answer %s', async (_name, head) => {
    const { harness, client, origin } = await started();
    const flood = await flooding(origin, SIZE, head);
    client.pause();
    client.get();
    await until(() => flood.written() > 0, 'the answer');
    await settled(flood.written);
    await seconds(harness, 59);
    await harness.connections(1);
    await seconds(harness, 2);
    await harness.connections(0);
    await (await origin.connection()).untilOver();
    await harness.inFlight(0);
    client.resume();
    expect(await client.untilOver()).toBe('reset');
  });

  test('and then goes on reading gets the whole answer, however long it takes', async () => {
    const { harness, client, origin } = await started();
    const size = 32 * 1024 * 1024;
    const flood = await flooding(origin, size, `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    client.pause();
    client.get();
    await until(() => flood.written() > 0, 'the answer');
    for (let round = 0; round < 4; round++) {
      await settled(flood.written);
      await seconds(harness, 50);
      await takes(client, 4 * 1024 * 1024);
    }
    client.resume();
    expect((await client.answer()).body.length).toBe(size);
  });

  test('and asks again and again is answered no further than its answers are taken', async () => {
    const to = `/${'x'.repeat(4000)}`;
    const harness = await EdgeHarness.start(policy(), {
      routes: routes({ '/': rules({ redirect: { to, status: 308 } }) }),
    });
    const client = await harness.connect();
    const count = 8000;
    let answered = 0;
    const collect = async () => {
      answered = (await harness.codes())[308] ?? 0;
      return answered;
    };
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(count - 1));
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    for (let before = -1; before !== (await collect()); ) {
      before = answered;
      await quiet(200);
    }
    // What the kernel's buffers hold, of 34 MB.
    expect(answered).toBeLessThan(count / 2);
    client.resume();
    const all = (await client.readAll()).toString('latin1');
    expect(all.split('HTTP/1.1 308 Permanent Redirect\r\n').length - 1).toBe(count);
  });

  test('of a last answer keeps its connection until it has it all, and no longer than its time', async () => {
    const accepted = acceptedSockets();
    const { harness, origin } = await started();
    const body = 'x'.repeat(12 * 1024 * 1024);
    origin.script = answering(() => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const [patient, dead] = [await harness.connect(), await harness.connect()];
    for (const client of [patient, dead]) {
      client.pause();
      client.get('/', 'Connection: close\r\n');
    }
    const ends = accepted.filter(({ localPort }) => localPort === harness.port).slice(-2);
    await until(() => ends.every(({ writableLength }) => writableLength > 0), 'something that waits for both');
    await settled(() => ends.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0));
    await seconds(harness, 30);
    patient.resume();
    const answer = await patient.answer();
    expect(answer.complete).toBe(true);
    expect(await patient.untilOver()).toBe('end');
    await seconds(harness, 28);
    await harness.connections(1);
    await seconds(harness, 3);
    await harness.connections(0);
    dead.resume();
    expect(await dead.untilOver()).toBe('reset');
  });
});

describe('a stream with nothing to say', () => {
  test('is not a slow reader', async () => {
    const { harness, client, origin } = await started();
    origin.script = () => {};
    client.get();
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n');
    expect(await client.readThrough('data: 1\n\n')).toContain('event-stream');
    await seconds(harness, 200);
    upstream.write('data: 2\n\n');
    expect(await client.readThrough('data: 2\n\n')).toBeDefined();
    await harness.connections(1);
  });

  test('has an idle keep-alive connection closed when its time is up, quietly', async () => {
    const { harness, client } = await started();
    client.get();
    await client.answer();
    await seconds(harness, 74);
    expect(client.ending).toBe('open');
    await seconds(harness, 2);
    expect(await client.untilOver()).toBe('end');
    expect(client.available).toBe(0);
  });
});

test('idle connections share one timer, which stops when the last of them is gone', async () => {
  const { harness, client } = await started();
  const others = await Promise.all(Array.from({ length: 50 }, () => harness.connect()));
  for (const each of [client, ...others]) {
    each.get();
    await each.answer();
  }
  // The report's and the wheel's.
  expect(harness.clock.pending).toBe(2);
  for (const each of [client, ...others]) each.destroy();
  await harness.connections(0);
  await seconds(harness, 80);
  expect(harness.clock.pending).toBe(1);
});
