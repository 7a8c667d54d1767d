import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { AnswerRoom } from '../../../src/discovery/consul/answer-room.ts';
import { type ConsulPlace, consulConnection } from '../../../src/discovery/consul/connection.ts';
import { ListConnections } from '../../../src/discovery/consul/list-connections.ts';
import type { ConsulSettings } from '../../../src/discovery/consul/settings.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { until } from '../../support/until.ts';

const { signal } = new AbortController();

async function serve(listener: RequestListener) {
  const server: Server = createServer({ keepAliveTimeout: 60_000 }, listener);
  const sockets = new Set<Socket>();
  let opened = 0;
  server.on('connection', (socket) => {
    opened++;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const place: ConsulPlace = { origin: `http://127.0.0.1:${port}`, secure: false, host: '127.0.0.1', port };
  const lists = new ListConnections(async ({ host }, onread) => connect({ host, port, onread }), systemClock);
  onTestFinished(() => lists.close());
  const get = (path: string, abort = signal) =>
    lists.get(place, { path, headers: { 'X-Consul-Token': 'secret' }, room: new AnswerRoom() }, abort);
  return { get, lists, sockets, opened: () => opened };
}

test('long and short answers are read over one connection, with the fields of the question', async () => {
  const long = Buffer.alloc(3_000_000, 'entry,');
  const { get, opened } = await serve(({ url, headers }, response) => {
    if (url === '/long') response.writeHead(200, { 'X-Consul-Index': '7' }).end(long);
    else response.writeHead(403).end(`${headers['x-consul-token']} ${headers.host?.replace(/\d+$/, 'PORT')}`);
  });
  const { status, headers, body } = await get('/long');
  expect([status, headers.get('x-consul-index'), body.equals(long)]).toEqual([200, '7', true]);
  expect((await get('/short')).body.toString()).toBe('secret 127.0.0.1:PORT');
  expect((await get('/long')).body.equals(long)).toBe(true);
  expect(opened()).toBe(1);
});

test('two questions at once have a connection each, and both are used again', async () => {
  const { get, opened } = await serve((_, response) => response.end('[]'));
  await Promise.all([get('/a'), get('/b')]);
  await Promise.all([get('/a'), get('/b')]);
  expect(opened()).toBe(2);
});

test('a kept connection that was closed meanwhile is no failure, and a new one that is closed is one', async () => {
  let isBroken = false;
  const { get, sockets } = await serve(({ socket }, response) => {
    if (isBroken) socket.destroy();
    else response.end('[]');
  });
  for (let count = 0; count < 10; count++) {
    await get('/a');
    for (const socket of sockets) socket.resetAndDestroy();
  }
  isBroken = true;
  await expect(get('/a')).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('an answer that breaks off, and one that is called off, close their connection', async () => {
  const abort = new AbortController();
  const { get, sockets, opened } = await serve(({ url, socket }, response) => {
    response.writeHead(200, { 'Content-Length': '100' });
    response.write('[', () => {
      if (url === '/broken') socket.destroy();
      else abort.abort(new Error('no more'));
    });
  });
  await expect(get('/broken')).rejects.toMatchObject({ code: 'ECONNRESET' });
  await expect(get('/endless', abort.signal)).rejects.toThrow('no more');
  await until('no connection', () => sockets.size === 0);
  expect(opened()).toBe(2);
});

test('idle connections are closed with the rest', async () => {
  const { get, lists, sockets } = await serve((_, response) => response.end('[]'));
  await get('/a');
  expect(sockets.size).toBe(1);
  lists.close();
  await until('no connection', () => sockets.size === 0);
});

test('a field that would be two is refused', async () => {
  const { lists } = await serve((_, response) => response.end('[]'));
  const place: ConsulPlace = { origin: 'http://x', secure: false, host: '127.0.0.1', port: 1 };
  const question = { path: '/a', headers: { 'X-Consul-Token': 'a\r\nX-More: b' }, room: new AnswerRoom() };
  await expect(lists.get(place, question, signal)).rejects.toThrow('Invalid character');
});

test('a connection that is in use while all are closed is not used again', async () => {
  let answer = () => {};
  const { get, lists, opened } = await serve((_, response) => {
    answer = () => response.end('[]');
  });
  const first = get('/a');
  await until('it is asked', () => opened() === 1);
  await new Promise((resolve) => setImmediate(resolve));
  lists.close();
  await until('it is answered', async () => {
    answer();
    return Promise.race([first.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
  });
  const second = get('/b');
  await until('another one is opened', () => opened() === 2);
  await until('that is answered', async () => {
    answer();
    return Promise.race([second.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
  });
});

test('a socket that fails before anybody listens to it is a failed question', async () => {
  const { openSocket } = consulConnection({ address: 'http://192.0.2.1:8500' } as ConsulSettings);
  const failure = Object.assign(new Error('connect ENETUNREACH'), { code: 'ENETUNREACH' });
  const open: typeof openSocket = async (place, onRead) => {
    const socket = await openSocket(place, onRead);
    socket.destroy(failure);
    await new Promise((resolve) => setImmediate(resolve));
    return socket;
  };
  const lists = new ListConnections(open, systemClock);
  const place: ConsulPlace = { origin: 'http://192.0.2.1:8500', secure: false, host: '192.0.2.1', port: 8500 };
  const asked = lists.get(place, { path: '/', headers: {}, room: new AnswerRoom() }, signal);
  await expect(asked).rejects.toMatchObject({ code: 'ENETUNREACH' });
});
