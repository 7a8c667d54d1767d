import { connect } from 'node:http2';
import { describe, expect, onTestFinished, test } from 'vitest';
import { at, EdgeHarness, policy } from '../../edge-harness.ts';
import { Origin, ok, silent, until } from '../../wire.ts';
import { Http2Client } from './http2-client.ts';

const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n';
const CONNECT = { ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http', 'sec-websocket-version': '13' };

async function cold(): Promise<EdgeHarness> {
  const h = await EdgeHarness.start(policy(), {}, {}, { http2: true });
  h.state();
  return h;
}

async function ready(origin: Origin): Promise<EdgeHarness> {
  const h = await cold();
  h.state({ endpoints: [at(origin)] });
  return h;
}

describe('a WebSocket over HTTP/2 (RFC 8441)', () => {
  test('leads to a service of HTTP/1.1, both ways', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send({ ...CONNECT, ':path': '/chat', 'sec-websocket-protocol': 'v1' }, undefined, true);
    const upstream = await origin.connection();
    const head = (await upstream.head()) ?? '';
    expect(head).toMatch(/^GET \/chat HTTP\/1\.1\r\nHost: app\.test\r\n/);
    expect(head).toMatch(/\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
    expect(head).toMatch(/\r\nsec-websocket-key: [A-Za-z0-9+/]{22}==\r\n/);
    expect(head).not.toMatch(/transfer-encoding|content-length/i);
    const exposed = 'X-Exposed: sec-websocket-accept\r\n';
    upstream.write(`${SWITCH}${exposed}Sec-WebSocket-Accept: x\r\nSec-WebSocket-Protocol: v1\r\n\r\nhi`);
    await until(() => sent.body.toString() === 'hi', 'the first bytes');
    expect([sent.status, sent.fields['sec-websocket-protocol']]).toEqual([200, 'v1']);
    expect(sent.fields['x-exposed']).toBe('sec-websocket-accept');
    expect(Object.keys(sent.fields)).not.toContain('upgrade');
    expect(Object.keys(sent.fields)).not.toContain('sec-websocket-accept');
    sent.stream.write('up');
    await until(() => upstream.peek().toString() === 'up', 'the bytes at the service');
    sent.stream.end('!');
    await until(() => upstream.ending === 'end', 'the end at the service');
    expect(upstream.peek().toString()).toBe('up!');
    upstream.write('bye');
    upstream.end();
    expect(await sent.answer()).toMatchObject({ text: 'hibye', reset: 0 });
    expect(client.closed).toBe(false);
    await h.inFlight(0);
  });

  test('waits for a service that is asleep, with what its client said already', async () => {
    const origin = await Origin.listen(silent);
    const h = await cold();
    const client = await Http2Client.open(h.port);
    const sent = client.send(CONNECT, 'early', true);
    await h.held(1);
    h.state({ endpoints: [at(origin)] });
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write(`${SWITCH}\r\n`);
    await until(() => upstream.peek().toString() === 'early', 'the early bytes');
    expect(sent.status).toBe(200);
  });

  test('that its service declines is an answer as any other', async () => {
    const origin = await Origin.listen(async (connection) => {
      await connection.head();
      connection.write(ok('no', '', '403 Forbidden'));
    });
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    expect(await client.send(CONNECT, 'early', true).answer()).toMatchObject({ status: 403, text: 'no', reset: 0 });
    expect(origin.connections[0]?.peek().toString()).toBe('');
  });

  test('is closed when its client goes', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send(CONNECT, undefined, true);
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write(`${SWITCH}\r\n`);
    await until(() => sent.status === 200, 'the tunnel');
    sent.stream.close(8);
    await until(() => upstream.ending !== 'open', 'the end at the service');
    await h.inFlight(0);
    expect(h.accessed).toMatchObject([{ status: 101, ending: 'client-left' }]);
  });

  test('whose service breaks is reset', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send(CONNECT, undefined, true);
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write(`${SWITCH}\r\n`);
    await until(() => sent.status === 200, 'the tunnel');
    upstream.socket.resetAndDestroy();
    expect((await sent.answer()).reset).toBe(2);
  });

  test('carries much, as fast as the slower side takes it', async () => {
    const origin = await Origin.listen(silent);
    const h = await ready(origin);
    const client = await Http2Client.open(h.port);
    const sent = client.send(CONNECT, undefined, true);
    const upstream = await origin.connection();
    await upstream.head();
    upstream.write(`${SWITCH}\r\n`);
    await until(() => sent.status === 200, 'the tunnel');
    upstream.write(Buffer.alloc(2_000_000, 'd'));
    sent.stream.write(Buffer.alloc(2_000_000, 'u'));
    await until(() => sent.body.length === 2_000_000, 'all that the service sent');
    await until(() => upstream.available === 2_000_000, 'all that the client sent');
  });

  test('is told to clients as possible', async () => {
    const h = await cold();
    const session = connect(`http://127.0.0.1:${h.port}`);
    onTestFinished(() => session.destroy());
    const settings = await new Promise<{ enableConnectProtocol?: boolean }>((resolve) =>
      session.once('remoteSettings', resolve),
    );
    expect(settings.enableConnectProtocol).toBe(true);
  });
});

test('a CONNECT that is no WebSocket leads nowhere', async () => {
  const origin = await Origin.listen(silent);
  const h = await ready(origin);
  const client = await Http2Client.open(h.port);
  const session = client.session;
  const plain = session.request({ ':method': 'CONNECT', ':authority': 'app.test:443' });
  plain.on('error', () => {});
  const status = await new Promise((resolve) => plain.once('response', (headers) => resolve(headers[':status'])));
  expect(status).toBe(405);
  expect(origin.connections.length).toBe(0);
});
