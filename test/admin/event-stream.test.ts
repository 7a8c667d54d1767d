import { connect } from 'node:net';
import { expect, test } from 'vitest';
import type { PilotEvent } from '../../src/model/events.ts';
import { until } from '../support/until.ts';
import { head } from './exchange.ts';
import { serveAdmin } from './serve-admin.ts';

const waking: PilotEvent = {
  at: '2026-01-01T00:00:00.000Z',
  type: 'waking',
  service: 'shop',
  message: 'shop waking (1 request waits)',
  data: { held: 1 },
};

/** A subscriber whose answer can be read while it lasts. */
function listen(port: number) {
  const socket = connect({ host: '127.0.0.1', port });
  const subscriber = { socket, text: '', closed: false };
  socket.on('data', (chunk) => {
    subscriber.text += chunk;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    subscriber.closed = true;
  });
  socket.write(head('GET', '/v1/events', { Host: `127.0.0.1:${port}` }));
  return subscriber;
}

test('an event is sent as it happens, and a comment every 15 s keeps the stream alive', async () => {
  const { port, control, clock } = await serveAdmin();
  const subscriber = listen(port);
  await until('subscribed', () => control.sinks.size === 1);
  control.emit(waking);
  await until('event', () => subscriber.text.includes(`event: waking\ndata: ${JSON.stringify(waking)}\n\n`));
  expect(subscriber.text).toContain('200 OK');
  expect(subscriber.text.toLowerCase()).toContain('content-type: text/event-stream');
  expect(subscriber.text).not.toContain('\n:\n\n');
  clock.advance(15_000);
  await until('heartbeat', () => subscriber.text.includes(':\n\n'));
  subscriber.socket.destroy();
});

test('HEAD gets the head alone, and ends', async () => {
  const { ask, control } = await serveAdmin();
  const answer = await ask('HEAD', '/v1/events');
  expect(answer).toMatchObject({ status: 200, body: '' });
  expect(answer.headers['content-type']).toBe('text/event-stream');
  expect(control.sinks.size).toBe(0);
});

test('a subscriber that goes is forgotten with its timer', async () => {
  const { port, control, clock } = await serveAdmin();
  const subscriber = listen(port);
  await until('subscribed', () => control.sinks.size === 1);
  subscriber.socket.destroy();
  await until('unsubscribed', () => control.sinks.size === 0 && clock.pending === 0);
});

test('the 33rd subscriber is refused, and has a place when another goes', async () => {
  const { port, control, ask } = await serveAdmin();
  const subscribers = Array.from({ length: 32 }, () => listen(port));
  await until('subscribed', () => control.sinks.size === 32);
  const refused = await ask('GET', '/v1/events');
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.body).code).toBe('TOO_MANY_SUBSCRIBERS');
  subscribers[0]?.socket.destroy();
  await until('place', () => control.sinks.size === 31);
  const another = listen(port);
  await until('subscribed again', () => control.sinks.size === 32);
  for (const { socket } of [...subscribers, another]) socket.destroy();
});

test('a subscriber that does not read is cut off', async () => {
  const { port, control } = await serveAdmin();
  const subscriber = listen(port);
  await until('subscribed', () => control.sinks.size === 1);
  subscriber.socket.pause();
  const large = { ...waking, message: 'x'.repeat(100_000) };
  await until(
    'cut off',
    () => {
      for (let i = 0; i < 20; i++) control.emit(large);
      return control.sinks.size === 0;
    },
    10_000,
    1,
  );
  subscriber.socket.destroy();
});

test('closing ends the streams', async () => {
  const { port, control, close } = await serveAdmin();
  const subscriber = listen(port);
  await until('subscribed', () => control.sinks.size === 1);
  await close();
  await until('ended', () => subscriber.closed && control.sinks.size === 0);
});
