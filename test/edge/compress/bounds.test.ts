import { describe, expect, test } from 'vitest';
import { Http2Client } from '../client/http2/http2-client.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { type Client, Origin, type OriginConnection, ok, quiet, until } from '../wire.ts';
import { accepting, compressing, compression, decoded, prose } from './compressing.ts';

const TEXT = 'Content-Type: text/plain\r\n';
const CHUNKED = `HTTP/1.1 200 OK\r\n${TEXT}Transfer-Encoding: chunked\r\n\r\n`;
const MIB = 2 ** 20;

function chunk(content: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(`${content.length.toString(16)}\r\n`), Buffer.from(content), Buffer.from('\r\n')]);
}

/** Text that hardly gets smaller. */
function noise(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let state = 1;
  for (let at = 0; at < bytes; at++) {
    state = (state * 48_271) % 2_147_483_647;
    out[at] = state >> 8;
  }
  return out;
}

/** An edge with room for so many encoders. */
async function roomFor(compressions: number) {
  const arrived: OriginConnection[] = [];
  const origin = await Origin.listen(async (connection) => {
    while ((await connection.request()) !== undefined) arrived.push(connection);
  });
  const harness = await EdgeHarness.start(policy({ compress: compression() }), { compressions });
  harness.state({ endpoints: [at(origin)] });
  let asked = 0;
  /** Asks for something. @returns the connection that it came to the service by */
  const ask = async (client: Client): Promise<OriginConnection> => {
    client.get('/', accepting('gzip'));
    await until(() => arrived.length > asked, 'a request at the service');
    return arrived[asked++] as OriginConnection;
  };
  /** Asks for a stream that has begun. */
  const begin = async (): Promise<{ client: Client; connection: OriginConnection; head: string }> => {
    const client = await harness.connect();
    const connection = await ask(client);
    connection.write(CHUNKED);
    connection.write(chunk(prose(2000)));
    return { client, connection, head: (await client.head()) as string };
  };
  return { harness, ask, begin };
}

/** What the edge has counted so far, over all encodings. */
async function counted(harness: EdgeHarness) {
  await harness.report();
  const sum = { answers: 0, bytesIn: 0, bytesOut: 0, refused: 0 };
  for (const { compression: part } of harness.all('report').flatMap(({ services }) => services)) {
    sum.refused += part?.refused ?? 0;
    for (const { answers, bytesIn, bytesOut } of Object.values(part?.coded ?? {})) {
      sum.answers += answers;
      sum.bytesIn += bytesIn;
      sum.bytesOut += bytesOut;
    }
  }
  return sum;
}

describe('encoders', () => {
  test('are as many as the budget says; further answers are sent as they are, and counted', async () => {
    const { harness, begin } = await roomFor(2);
    const first = await begin();
    await begin();
    const third = await begin();
    expect([first.head, third.head].map((head) => head.includes('Content-Encoding: gzip'))).toEqual([true, false]);
    expect(third.head).toContain('Vary: Accept-Encoding');
    third.connection.write('0\r\n\r\n');
    expect((await third.client.readThrough('0\r\n\r\n'))?.includes(prose(2000))).toBe(true);
    expect(await counted(harness)).toMatchObject({ refused: 1 });
    first.connection.write('0\r\n\r\n');
    await first.client.readThrough('0\r\n\r\n');
    expect((await begin()).head).toContain('Content-Encoding: gzip');
  });

  test('are not needed for small content that is here whole', async () => {
    const { harness, ask, begin } = await roomFor(1);
    await begin();
    const client = await harness.connect();
    const connection = await ask(client);
    connection.write(ok(prose(5000), TEXT));
    expect((await client.answer()).fields['content-encoding']).toEqual(['gzip']);
  });

  test.each<[who: string, end: (stream: { client: Client; connection: OriginConnection }) => void]>([
    ['its client leaves', ({ client }) => client.reset()],
    [
      'its client leaves while it works',
      ({ client, connection }) => {
        connection.write(chunk(noise(MIB)));
        client.destroy();
      },
    ],
    ['its service breaks off', ({ connection }) => connection.reset()],
    ['its service ends early', ({ connection }) => connection.end()],
    ['its service sends what is no chunk', ({ connection }) => connection.write('what\r\n')],
  ])('is free again when %s', async (_, end) => {
    const { harness, begin } = await roomFor(1);
    for (let i = 0; i < 5; i++) {
      const stream = await begin();
      expect(stream.head).toContain('Content-Encoding: gzip');
      end(stream);
      await harness.inFlight(0);
      await harness.connections(0);
    }
    expect(await counted(harness)).toMatchObject({ answers: 5, refused: 0 });
  });

  test('is free again when its stream is taken back over HTTP/2', async () => {
    const origin = await Origin.listen(async (connection) => {
      await connection.request();
      connection.write(CHUNKED);
      connection.write(chunk(prose(20_000)));
    });
    const h = await EdgeHarness.start(policy({ compress: compression() }), { compressions: 1 }, {}, { http2: true });
    h.state({ endpoints: [at(origin)] });
    const client = await Http2Client.open(h.port);
    for (let i = 0; i < 5; i++) {
      const stream = client.send({ 'accept-encoding': 'gzip' });
      await until(() => stream.body.length > 0, 'the first bytes');
      expect(stream.fields['content-encoding']).toBe('gzip');
      stream.stream.close(8);
      await h.inFlight(0);
    }
  });
});

describe('an answer that breaks off', () => {
  test.each<[how: string, end: (connection: OriginConnection) => void]>([
    ['by a reset', (connection) => connection.reset()],
    ['by its end', (connection) => connection.end()],
  ])('%s is seen to be no whole one', async (_, end) => {
    const { harness, begin } = await roomFor(10);
    const { client, connection } = await begin();
    connection.write(chunk(prose(100_000)));
    await client.readThrough('\r\n');
    end(connection);
    const rest = await client.readAll();
    expect(rest.subarray(-5).toString()).not.toBe('0\r\n\r\n');
    expect(harness.accessed[0]).toMatchObject({ status: 200, ending: 'upstream-broke', encoding: 'gzip' });
  });

  test('of HTTP/1.0 ends by a reset: its end would make it look whole', async () => {
    const { harness, origin } = await compressing(() => {});
    const client = await harness.connect();
    client.write(`GET / HTTP/1.0\r\nHost: app.test\r\n${accepting('gzip')}\r\n`);
    const connection = await origin.connection();
    await connection.request();
    connection.write(CHUNKED);
    connection.write(chunk(prose(100_000)));
    await client.readExactly(100);
    connection.reset();
    expect(await client.untilOver()).toBe('reset');
  });
});

describe('a slow client', () => {
  test('makes its service wait, and gets all in the end', async () => {
    const content = noise(24 * MIB);
    const { harness, origin } = await compressing(() => {}, {
      encodings: ['gzip'],
      levels: { zstd: 1, br: 1, gzip: 1 },
    });
    const client = await harness.connect();
    client.get('/', accepting('gzip'));
    client.pause();
    const connection = await origin.connection();
    await connection.request();
    connection.write(`HTTP/1.1 200 OK\r\n${TEXT}Content-Length: ${content.length}\r\n\r\n`);
    connection.write(content);
    let before = -1;
    // As long as anything moves.
    for (
      let still = 0;
      still < 5;
      still = connection.socket.bytesWritten - connection.socket.writableLength === before ? still + 1 : 0
    ) {
      before = connection.socket.bytesWritten - connection.socket.writableLength;
      await quiet(60);
    }
    expect(connection.socket.writableLength).toBeGreaterThan(0);
    expect(harness.waiting(client)).toBeLessThan(MIB);
    client.resume();
    const { body, complete } = await client.answer();
    expect(complete).toBe(true);
    expect(decoded('gzip', body).equals(content)).toBe(true);
  });
});

test('a request whose body goes on behind its answer ends with that', async () => {
  const { harness, origin } = await compressing(() => {});
  const client = await harness.connect();
  client.write(`POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1000000\r\n${accepting('gzip')}\r\nsome`);
  const connection = await origin.connection();
  await connection.head();
  connection.write(ok(prose(300_000), TEXT));
  for (let i = 0; i < 20; i++) client.write('more of it');
  const { body, fields } = await client.answer('POST');
  expect(fields['connection']).toEqual(['close']);
  expect(decoded('gzip', body).toString()).toBe(prose(300_000));
  client.write(Buffer.alloc(1000));
  await harness.inFlight(0);
});

test('what was compressed is counted, and told in the access log', async () => {
  const { harness, origin } = await compressing(() => {});
  const client = await harness.connect();
  let bytesOut = 0;
  const sizes = [5000, 300_000];
  for (const size of sizes) {
    client.get('/', accepting('br'));
    const connection = await origin.connection();
    await connection.request();
    connection.write(ok(prose(size), TEXT));
    bytesOut += (await client.answer()).body.length;
  }
  await harness.inFlight(0);
  expect(await counted(harness)).toEqual({ answers: 2, bytesIn: 305_000, bytesOut, refused: 0 });
  expect(harness.accessed.map(({ encoding }) => encoding)).toEqual(['br', 'br']);
  const [small] = harness.accessed;
  expect(small?.bytesOut).toBeLessThan(5000);
});
