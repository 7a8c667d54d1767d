import { connect } from 'node:http2';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { quiet, until } from '../../wire.ts';
import { edgeBefore, Http2Origin } from './http2-origin.ts';

/** Bytes that an endpoint gets rid of while a client takes none: some wait for the client, the rest in a window. */
const MUCH = 150_000;

const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
const SETTINGS_ACK = Buffer.from([0, 0, 0, 4, 1, 0, 0, 0, 0]);

/** Frames that answer the first request of a session with 200 and nothing else. */
const ANSWER = Buffer.from([0, 0, 1, 1, 5, 0, 0, 0, 1, 0x88]);

/** A server that answers one request of each connection, and never closes anything. */
async function everOpen(): Promise<{ port: number; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
    let read = Buffer.alloc(0);
    let isAnswered = false;
    socket.on('data', (bytes) => {
      read = Buffer.concat([read, bytes]);
      // A HEADERS frame with END_STREAM and END_HEADERS of stream 1.
      if (isAnswered || !read.includes(Buffer.from([1, 5, 0, 0, 0, 1]))) return;
      isAnswered = true;
      socket.write(ANSWER);
    });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, sockets };
}

describe('an endpoint', () => {
  test('that closes behind a whole answer cuts nothing off for a client that is slow', async () => {
    const origin = await Http2Origin.listen(({ stream }) => {
      stream.respond({ ':status': 200, 'content-length': String(MUCH) });
      stream.end(Buffer.alloc(MUCH, 'x'));
      // Once all is sent.
      stream.session?.close();
    });
    const edge = await edgeBefore([origin]);
    const client = connect(`http://127.0.0.1:${edge.port}`, { settings: { initialWindowSize: 1000 } });
    onTestFinished(() => client.destroy());
    const asked = client.request({ ':authority': 'app.test' });
    let size = 0;
    let ending = 'whole';
    asked.on('error', () => {
      ending = 'broken';
    });
    await until(() => origin.sessions[0]?.destroyed === true, 'the end of the endpoint');
    await quiet();
    for await (const piece of asked) size += (piece as Buffer).length;
    expect([size, ending]).toEqual([MUCH, 'whole']);
  });

  test('that sends trailers behind content of a known length has them reach clients of HTTP/2', async () => {
    const origin = await Http2Origin.listen(({ stream }) => {
      stream.respond({ ':status': 200, 'content-length': '5' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '7' }));
      stream.end('hello');
    });
    const edge = await edgeBefore([origin]);
    const client = connect(`http://127.0.0.1:${edge.port}`);
    onTestFinished(() => client.destroy());
    const asked = client.request({ ':authority': 'app.test', te: 'trailers' });
    const got: Record<string, unknown> = {};
    asked.on('response', (headers) => {
      got['length'] = headers['content-length'];
    });
    asked.on('trailers', (trailers) => {
      got['sum'] = trailers['x-sum'];
    });
    asked.setEncoding('latin1');
    let text = '';
    for await (const piece of asked) text += piece;
    expect([text, got]).toEqual(['hello', { length: '5', sum: '7' }]);
  });

  test('that has gone without a word gets no more requests on the same session', async () => {
    const origin = await everOpen();
    const edge = await edgeBefore([origin], { timeouts: { firstByteMs: 5000 }, retries: { max: 0 } });
    const [first, second] = [await edge.connect(), await edge.connect()];
    first.get();
    expect((await first.answer()).status).toBe(200);
    second.get();
    await edge.inFlight(1);
    await edge.pass(6000, 500);
    expect((await second.answer()).status).toBe(504);
    await edge.pass(13_000, 500);
    const third = await edge.connect();
    third.get();
    expect((await third.answer()).status).toBe(200);
    expect(origin.sockets).toHaveLength(2);
  });

  test('that leaves its side open behind our end keeps no socket of ours', async () => {
    const origin = await everOpen();
    const edge = await edgeBefore([origin]);
    const client = await edge.connect();
    client.get();
    expect((await client.answer()).status).toBe(200);
    await edge.pass(70_000, 1000);
    await until(() => origin.sockets[0]?.readableEnded === true, 'our end');
    // What is sent to a socket that is no more there is answered by a reset.
    const isReset = () => !origin.sockets[0]?.write('x') && origin.sockets[0]?.destroyed === true;
    await until(isReset, 'the reset of a socket that is no more');
  });
});
