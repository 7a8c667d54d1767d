import { expect, test } from 'vitest';
import { Http2Client } from '../../client/http2/http2-client.ts';
import { until } from '../../wire.ts';
import { edgeBefore, Http2Origin, takeBack } from './http2-origin.ts';

const ASK =
  'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n';

/** Opens the tunnels that it is asked for, and sends back what comes. */
function echoing(): Promise<Http2Origin> {
  return Http2Origin.listen(
    ({ stream }) => {
      stream.respond({ ':status': 200, 'sec-websocket-protocol': 'chat' });
      stream.on('data', (piece: Buffer) => stream.write(piece));
      stream.on('end', () => stream.end('bye'));
    },
    { settings: { enableConnectProtocol: true } },
  );
}

test('a WebSocket of HTTP/1.1 goes through a service of HTTP/2, and ends in order on both sides', async () => {
  const origin = await echoing();
  const edge = await edgeBefore([origin]);
  const client = await edge.connect();
  client.get('/chat', ASK);
  const got = await client.answer();
  expect([got.status, got.fields['upgrade'], got.fields['sec-websocket-accept']]).toEqual([
    101,
    ['websocket'],
    ['s3pPLMBiTxaQ9kYGzzhZRbK+xOo='],
  ]);
  const { headers, raw } = await origin.request();
  expect([headers[':method'], headers[':protocol'], headers[':path']]).toEqual(['CONNECT', 'websocket', '/chat']);
  expect(raw).not.toContain('sec-websocket-key');
  client.write('ping');
  expect((await client.readExactly(4)).toString()).toBe('ping');
  client.end();
  expect((await client.readExactly(3)).toString()).toBe('bye');
});

test('a WebSocket of HTTP/2 goes through a service of HTTP/2', async () => {
  const origin = await echoing();
  const edge = await edgeBefore([origin]);
  const client = await Http2Client.open(edge.port);
  const call = client.send({ ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/chat' }, 'ping', true);
  await until(() => call.body.toString() === 'ping', 'the echo');
  expect([call.status, call.fields['sec-websocket-protocol'], call.fields['sec-websocket-accept']]).toEqual([
    200,
    'chat',
    undefined,
  ]);
  call.stream.end();
  await until(() => call.body.toString() === 'pingbye', 'the end');
});

test('where the service opens no tunnels, the client is told so', async () => {
  const origin = await Http2Origin.listen();
  const edge = await edgeBefore([origin]);
  const client = await edge.connect();
  client.get('/chat', ASK);
  const got = await client.answer();
  expect([got.status, JSON.parse(got.text).code]).toEqual([502, 'UPGRADE_UNSUPPORTED']);
  expect(origin.asked).toHaveLength(0);
});

test('a service that refuses a WebSocket has its own answer passed on', async () => {
  const origin = await Http2Origin.listen(
    ({ stream }) => {
      stream.respond({ ':status': 403 });
      stream.end('no');
    },
    { settings: { enableConnectProtocol: true } },
  );
  const edge = await edgeBefore([origin]);
  const client = await edge.connect();
  client.get('/chat', ASK);
  const got = await client.answer();
  expect([got.status, got.text]).toEqual([403, 'no']);
});

test('a tunnel that breaks off ends no other request', async () => {
  const origin = await echoing();
  const edge = await edgeBefore([origin]);
  const client = await edge.connect();
  client.get('/chat', ASK);
  await client.answer();
  takeBack((await origin.request()).stream, 2);
  await until(() => client.closed || client.ending !== 'open', 'the end of the tunnel');
  expect(origin.sessions[0]?.closed).toBe(false);
});
