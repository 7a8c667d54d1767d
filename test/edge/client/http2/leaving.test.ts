import { describe, expect, onTestFinished, test } from 'vitest';
import { Code, Flag, FrameClient, frame, request, Type } from '../../../support/http2-frames.ts';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { answering, Origin, ok, quiet, silent, until } from '../../wire.ts';
import { Http2Client } from './http2-client.ts';

type Limits = NonNullable<Parameters<typeof EdgeHarness.start>[3]>['limits'];

async function ready(origin: Origin, limits: Limits = {}): Promise<EdgeHarness> {
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true, limits });
  h.state({ endpoints: [at(origin)] });
  return h;
}

async function raw(h: EdgeHarness): Promise<FrameClient> {
  const client = await FrameClient.open(h.port);
  onTestFinished(() => client.destroy());
  await until(() => client.of(Type.SETTINGS).length > 0, 'settings of the edge');
  return client;
}

const lastStreams = (client: FrameClient) =>
  client.of(Type.GOAWAY).map(({ payload }) => payload.readUInt32BE(0) & 0x7fffffff);

describe('a drain', () => {
  test.each([
    ['of a process that ends', false],
    ['of one that hands over to another', true],
  ])('%s says GOAWAY, serves what is under way, and closes', async (_name, handOver) => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send();
    const upstream = await origin.connection();
    await upstream.head();
    const drained = h.edge.drain(30_000, handOver);
    await until(() => client.goaway !== undefined, 'GOAWAY');
    expect([client.goaway, client.closed]).toEqual([Code.NO_ERROR, false]);
    upstream.write(ok('late'));
    expect(await sent.answer()).toMatchObject({ status: 200, text: 'late', reset: 0 });
    await until(() => client.closed, 'the end of the connection');
    await h.pass(100, 20);
    await drained;
  });

  test('names the last stream that it serves, so that what comes behind it may be sent elsewhere', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await raw(h);
    client.send(request(1), request(3));
    await h.inFlight(2);
    const drained = h.edge.drain(30_000);
    await until(() => client.goaways.length === 1, 'GOAWAY');
    client.send(request(5));
    await quiet();
    expect([lastStreams(client), client.goaways, origin.connections.length]).toEqual([[3], [Code.NO_ERROR], 2]);
    for (const upstream of origin.connections) upstream.write(ok());
    await until(() => client.closed, 'the end of the connection');
    expect([client.hasEnded(1), client.hasEnded(3), lastStreams(client).at(-1)]).toEqual([true, true, 3]);
    await h.pass(100, 20);
    await drained;
  });

  test('names the last stream that it served on a connection that rests', async () => {
    const h = await ready(await Origin.listen(answering()));
    const client = await raw(h);
    client.send(request(1));
    await until(() => client.hasEnded(1), 'the answer');
    const drained = h.edge.drain(30_000);
    await until(() => client.closed, 'the end of the connection');
    expect([lastStreams(client).at(-1), client.goaways.at(-1)]).toEqual([1, Code.NO_ERROR]);
    await h.pass(100, 20);
    await drained;
  });

  test('cuts what is not over at its end', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send();
    await h.inFlight(1);
    const drained = h.edge.drain(5000);
    await h.pass(7000, 500);
    await drained;
    expect((await sent.answer()).status).toBe(503);
  });
});

describe('a connection that rests', () => {
  test('is closed by GOAWAY when it was not used for long', async () => {
    const h = await ready(await Origin.listen(answering()));
    const client = await Http2Client.open(h.port);
    await client.get();
    await h.pass(74_000, 1000);
    expect(client.goaway).toBeUndefined();
    await h.pass(2000, 500);
    await until(() => client.closed, 'the end of the connection');
    expect(client.goaway).toBe(Code.NO_ERROR);
    await h.connections(0);
  });

  test('is kept while a stream of it is open', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send();
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    await h.pass(200_000, 1000);
    expect([client.goaway, sent.closed]).toEqual([undefined, false]);
  });

  test('on which nothing was asked is closed in the time for a head', async () => {
    const h = await ready(await Origin.listen(answering()));
    const client = await raw(h);
    client.send(frame(Type.HEADERS, Flag.END_STREAM, 1, 'x'));
    await h.pass(12_000, 500);
    await until(() => client.closed, 'the end of the connection');
    await h.connections(0);
  });

  test('gives way to a new one where all places are taken', async () => {
    const h = await ready(await Origin.listen(answering()), { connections: 1 });
    const client = await Http2Client.open(h.port);
    await client.get();
    const next = await Http2Client.open(h.port);
    expect(await next.get()).toMatchObject({ status: 200 });
    await until(() => client.closed, 'the end of the first');
    await h.connections(1);
  });

  test('that its client has half closed is closed', async () => {
    const h = await ready(await Origin.listen(answering()));
    const client = await raw(h);
    client.socket.end();
    await until(() => client.closed, 'the end of the connection');
    await h.connections(0);
  });
});

test('a client that hangs up leaves nothing behind', async () => {
  const origin = await Origin.listen(silent);
  const h = await ready(origin);
  const client = await Http2Client.open(h.port);
  for (let i = 0; i < 10; i++) client.send();
  await h.inFlight(10);
  client.session.destroy();
  await h.connections(0);
  await h.inFlight(0);
  expect(h.accessed.map(({ ending }) => ending)).toEqual(Array(10).fill('client-left'));
});

test('a client that says GOAWAY gets its answers', async () => {
  const origin = await Origin.listen(silent);
  const h = await ready(origin);
  const client = await Http2Client.open(h.port);
  const sent = client.send();
  const upstream = await origin.connection();
  await upstream.head();
  client.session.close();
  await quiet();
  upstream.write(ok('late'));
  expect(await sent.answer()).toMatchObject({ status: 200, text: 'late' });
  await h.connections(0);
});

test('a client that says GOAWAY and then breaks the rules is not served any more', async () => {
  const origin = await Origin.listen(silent);
  const h = await ready(origin);
  const client = await raw(h);
  client.send(request(1));
  await h.inFlight(1);
  client.send(frame(Type.GOAWAY, 0, 0, Buffer.alloc(8)), frame(Type.DATA, 0, 7, 'of no stream'));
  await until(() => client.goaways.at(-1) === Code.PROTOCOL_ERROR, 'the end of the session');
  await h.pass(11_000, 1000);
  await h.connections(0);
  await h.inFlight(0);
});

test('requests beyond the limit of a connection are sent elsewhere', async () => {
  const h = await ready(await Origin.listen(answering()), { requests: 3 });
  const client = await Http2Client.open(h.port);
  for (let i = 0; i < 3; i++) expect((await client.get()).status).toBe(200);
  await until(() => client.closed, 'the end of the connection');
  expect(client.goaway).toBe(Code.NO_ERROR);
});

test('connections beyond the limit of a client are told so', async () => {
  const h = await ready(await Origin.listen(answering()), { connectionsPerClient: 1 });
  const first = await Http2Client.open(h.port);
  const second = await FrameClient.open(h.port);
  onTestFinished(() => second.destroy());
  await until(() => second.closed, 'the end of the second');
  expect((await first.get()).status).toBe(200);
});
