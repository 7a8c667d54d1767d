import { createServer, type Server } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { ProbeRequest } from '../../../src/model/link.ts';
import { EdgeHarness } from '../edge-harness.ts';
import { deadPort } from '../wire.ts';

async function listen(host: string, port: number, answer: string): Promise<Server | undefined> {
  const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.end(answer)));
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined)).listen({ host, port, ipv6Only: true }, () => resolve(server));
  });
}

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok';
const BAD = 'HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
const check = { kind: 'http', path: '/', hostHeader: 'a', statusMin: 200, statusMax: 399 } as const;

function order(port: number, change: Partial<ProbeRequest> = {}): ProbeRequest {
  const where = { host: '127.0.0.1', otherHost: '::1', port };
  return { type: 'probe', probe: 'p', service: 'app', endpoint: 'e', ...where, check, timeoutMs: 60_000, ...change };
}

test('what listens on ::1 alone is found there', async (context) => {
  const port = await deadPort();
  if ((await listen('::1', port, OK)) === undefined) context.skip('this machine has no ::1');
  const harness = await EdgeHarness.start();
  harness.send(order(port));
  const probed = await harness.message('probed');
  expect(probed).toMatchObject({ ok: true, host: '::1' });
});

test('where both answer, the address that the runtime names is the one', async () => {
  const port = await deadPort();
  await listen('127.0.0.1', port, OK);
  await listen('::1', port, OK);
  const harness = await EdgeHarness.start();
  harness.send(order(port));
  expect(await harness.message('probed')).toMatchObject({ ok: true, host: '127.0.0.1' });
});

test('one that was refused at first is found later', async () => {
  const port = await deadPort();
  const harness = await EdgeHarness.start();
  harness.send(order(port));
  expect(await harness.message('probing')).toMatchObject({ host: '127.0.0.1', result: 'connection refused' });
  await harness.pass(500);
  await listen('127.0.0.1', port, OK);
  await harness.pass(500);
  await harness.message('probed', (message) => message.ok && message.host === '127.0.0.1');
  // However often it was refused, that is told once.
  expect(harness.all('probing')).toHaveLength(1);
});

test('the last answer is told, whatever it is, and that is what a probe fails of', async () => {
  const port = await deadPort();
  await listen('127.0.0.1', port, BAD);
  const harness = await EdgeHarness.start();
  harness.send(order(port, { timeoutMs: 1000 }));
  expect(await harness.message('probing')).toMatchObject({ host: '127.0.0.1', result: 'status 500' });
  await harness.pass(3000);
  expect(await harness.message('probed')).toMatchObject({ ok: false, detail: '127.0.0.1 status 500' });
});
