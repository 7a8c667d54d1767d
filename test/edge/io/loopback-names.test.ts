import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { EdgeHarness, policy } from '../edge-harness.ts';
import { deadPort } from '../wire.ts';

/** A server that answers every request with its name; undefined where this machine has no such address. */
async function listen(host: string, port: number, name: string): Promise<true | undefined> {
  const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`;
  const server = createServer((socket) => socket.on('error', () => {}).on('data', () => socket.write(answer)));
  onTestFinished(() => void server.close());
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined)).listen({ host, port, ipv6Only: true }, () => resolve(true));
  });
}

async function ask(engine: 'native' | 'http-proxy', port: number): Promise<string> {
  const harness = await EdgeHarness.start(policy({ engine }));
  harness.state({ endpoints: [{ id: 'e', host: 'localhost', port, state: 'ready', weight: 1, start: null }] });
  const client = await harness.connect();
  client.get();
  const { status, body } = await client.answer();
  return `${status} ${body}`;
}

describe.each(['native', 'http-proxy'] as const)('localhost by %s', (engine) => {
  test('is found on ::1 alone', async (context) => {
    const port = await deadPort();
    if ((await listen('::1', port, 'six')) === undefined) context.skip('this machine has no ::1');
    expect(await ask(engine, port)).toBe('200 six');
  });

  test('is found on 127.0.0.1 alone', async () => {
    const port = await deadPort();
    await listen('127.0.0.1', port, 'four');
    expect(await ask(engine, port)).toBe('200 four');
  });

  test('with servers on both, always means the same one', async () => {
    const port = await deadPort();
    await listen('127.0.0.1', port, 'four');
    await listen('::1', port, 'six');
    for (let i = 0; i < 3; i++) expect(await ask(engine, port)).toBe('200 four');
  });
});
