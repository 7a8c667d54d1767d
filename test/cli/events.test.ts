import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { showEvents } from '../../src/cli/events.ts';
import { serviceStatus } from '../support/service-status.ts';
import { until } from '../support/until.ts';
import { fakeTerminal } from './fake-terminal.ts';

/** An admin API with the services shop and blog, which sends events by hand. */
async function streaming() {
  const streams: ServerResponse[] = [];
  const server = createServer((request, response) => {
    if (request.url === '/v1/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': listening\n\n');
      streams.push(response);
    } else if (request.url === '/v1/services') {
      response.end(JSON.stringify([serviceStatus({ name: 'blog' }), serviceStatus({ name: 'shop' })]));
    } else {
      response.writeHead(404).end('{"code":"SERVICE_UNKNOWN","detail":"no service is called nope"}');
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const event = (name: string) => ({
    at: new Date(0).toISOString(),
    type: 'ready',
    service: name,
    message: `${name} ready`,
    data: {},
  });
  const send = (name: string) => {
    const text = `event: ready\ndata: ${JSON.stringify(event(name))}\n\n`;
    // In pieces, as networks deliver.
    streams.at(-1)?.write(text.slice(0, 20));
    streams.at(-1)?.write(text.slice(20));
  };
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { admin, streams, send, event };
}

test('events are lines, of the service that is asked for, also behind an end of the proxy', async () => {
  const { admin, streams, send } = await streaming();
  const terminal = fakeTerminal();
  const stop = new AbortController();
  const ended = showEvents('shop', { admin }, terminal, stop.signal);
  await until('listening', () => streams.length === 1);
  send('blog');
  send('shop');
  await until('told', () => terminal.stdout.length === 1);
  expect(terminal.stdout[0]).toMatch(/ {2}shop {2}ready$/);
  streams[0]?.end();
  await until('told', () => terminal.stderr.length === 1 && terminal.clock.pending === 1);
  expect(terminal.stderr).toEqual(['the proxy has gone: waiting for it']);
  terminal.clock.advance(1000);
  await until('listening again', () => streams.length === 2);
  send('shop');
  await until('told', () => terminal.stdout.length === 2);
  stop.abort();
  expect(await ended).toBe(0);
});

test('--json is an object a line', async () => {
  const { admin, streams, send, event } = await streaming();
  const terminal = fakeTerminal();
  const stop = new AbortController();
  const ended = showEvents(undefined, { admin, json: true }, terminal, stop.signal);
  await until('listening', () => streams.length === 1);
  send('blog');
  await until('told', () => terminal.stdout.length === 1);
  expect(JSON.parse(terminal.stdout[0] ?? '')).toEqual(event('blog'));
  stop.abort();
  await ended;
});

test('a service that is not there is an error', async () => {
  const { admin } = await streaming();
  const asked = showEvents('nope', { admin }, fakeTerminal(), new AbortController().signal);
  await expect(asked).rejects.toMatchObject({ code: 'SERVICE_UNKNOWN' });
});
