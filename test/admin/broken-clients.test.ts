import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/until.ts';
import { exchange } from './exchange.ts';
import { serveAdmin } from './serve-admin.ts';

/** As many connections as there may be. */
const ALL = 256;

// Node gives a request 10 s of its own time.
test('clients that were too slow and leave their side open do not keep others out', { timeout: 90_000 }, async () => {
  const { ask, port, clock } = await serveAdmin();
  const refused = Array.from({ length: ALL }, async () => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.resume();
    socket.write('GET /healthz HT');
    await once(socket, 'end');
  });
  await Promise.all(refused);
  clock.advance(1000);
  const isServed = () =>
    ask('GET', '/healthz').then(
      ({ status }) => status === 200,
      () => false,
    );
  await until('an answer', isServed);
});

test('two Hosts are refused, whichever comes first', async () => {
  const { port } = await serveAdmin();
  const own = `Host: 127.0.0.1:${port}`;
  for (const hosts of [`${own}\r\nHost: rebound.example`, `Host: rebound.example\r\n${own}`, `${own}\r\n${own}`]) {
    const answer = await exchange(port, `GET /healthz HTTP/1.1\r\n${hosts}\r\nConnection: close\r\n\r\n`);
    expect(answer.status).toBe(421);
  }
});
