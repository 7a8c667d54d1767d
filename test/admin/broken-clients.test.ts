import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../support/until.ts';
import { exchange } from './exchange.ts';
import { serveAdmin } from './serve-admin.ts';

/** As many connections as there may be. */
const ALL = 256;

test('clients that were refused and leave their side open do not keep others out', async () => {
  const { ask, port, clock } = await serveAdmin();
  for (let opened = 0; opened < ALL; opened++) {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    socket.resume();
    socket.write('no HTTP\r\n\r\n');
    await once(socket, 'end');
  }
  clock.advance(1000);
  const status = () =>
    ask('GET', '/healthz').then(
      (answer) => answer.status,
      () => 0,
    );
  await until('an answer', async () => (await status()) === 200);
});

test('two Hosts are refused, whichever comes first', async () => {
  const { port } = await serveAdmin();
  const own = `Host: 127.0.0.1:${port}`;
  for (const hosts of [`${own}\r\nHost: rebound.example`, `Host: rebound.example\r\n${own}`, `${own}\r\n${own}`]) {
    const answer = await exchange(port, `GET /healthz HTTP/1.1\r\n${hosts}\r\nConnection: close\r\n\r\n`);
    expect(answer.status).toBe(421);
  }
});
