import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { HttpProxyEngine } from '../../../src/edge/upstream/http-proxy-engine.ts';
import { until } from '../../support/until.ts';
import { deadPort } from '../wire.ts';

const engine = new HttpProxyEngine();
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function origin(onData: (socket: Socket, text: string) => void): Promise<{ port: number; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (data) => onData(socket, data.toString('latin1')));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, sockets };
}

function open(port: number): {
  write: (text: string) => void;
  text: () => string;
  closed: () => boolean;
  destroy: () => void;
} {
  const connection = engine.connect('127.0.0.1', port);
  let text = '';
  let closed = false;
  connection.on('data', (data: Buffer) => {
    text += data.toString('latin1');
  });
  connection.on('error', () => {});
  connection.on('close', () => {
    closed = true;
  });
  return {
    write: (bytes) => connection.write(bytes),
    text: () => text,
    closed: () => closed,
    destroy: () => connection.destroy(),
  };
}

test('a request goes through the package and its answer comes back, again and again on one connection', async () => {
  const { port, sockets } = await origin((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'));
  const client = open(port);
  for (let i = 1; i <= 3; i++) {
    client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
    await until('the answer', () => client.text().split('\r\n\r\nhi').length === i + 1);
  }
  expect(sockets.size).toBe(1);
  client.destroy();
});

test('a client that leaves cancels the upstream request', async () => {
  let asked = 0;
  const { port, sockets } = await origin(() => {
    asked++;
  });
  const client = open(port);
  client.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('the request is there', () => asked === 1);
  client.destroy();
  await until('the upstream connection is gone', () => sockets.size === 0);
});

test('an upstream that dies within its answer breaks it off', async () => {
  const { port } = await origin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.destroy());
  });
  const client = open(port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('the connection is closed', () => client.closed());
  expect(client.text().endsWith('half')).toBe(true);
});

test('an address that refuses closes the connection without an answer, for the edge to decide', async () => {
  const client = open(await deadPort());
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('the connection is closed', () => client.closed());
  expect(client.text()).toBe('');
});

test('an upgrade to WebSocket becomes a tunnel', async () => {
  const { port } = await origin((socket, text) => {
    if (text.startsWith('GET'))
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    else socket.write(text.toUpperCase());
  });
  const client = open(port);
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await until('the switch', () => client.text().includes('101'));
  client.write('ping');
  await until('the echo', () => client.text().endsWith('PING'));
  client.destroy();
});

test('an answer that Node would not write is one that the edge cannot read, and the process goes on', async () => {
  const { port } = await origin((socket) => socket.write('HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nhi'));
  const client = open(port);
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('something that is no answer', () => client.text() !== '');
  expect(client.text()).not.toMatch(/^HTTP/);
  client.destroy();
});

test('trailers and interim answers come through', async () => {
  const { port } = await origin((socket) =>
    socket.write(
      'HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n' +
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Sum: 1\r\n\r\n',
    ),
  );
  const client = open(port);
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('the last chunk', () => client.text().includes('0\r\nX-Sum: 1\r\n\r\n'));
  expect(client.text()).toMatch(/^HTTP\/1\.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  client.destroy();
});

test('fields of an answer that its Connection names stay behind', async () => {
  const answer =
    'HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nX-End: 2\r\nContent-Length: 2\r\n\r\nhi';
  const { port } = await origin((socket) => socket.write(answer));
  const client = open(port);
  client.write('GET /a HTTP/1.1\r\nHost: a\r\n\r\n');
  await until('the answer', () => client.text().endsWith('\r\n\r\nhi'));
  expect(client.text()).toContain('X-End: 2');
  expect(client.text()).not.toContain('X-Hop');
  client.destroy();
});
