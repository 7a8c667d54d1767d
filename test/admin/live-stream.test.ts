import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { PilotEvent } from '../../src/model/events.ts';
import type { LiveState } from '../../src/model/live.ts';
import { until } from '../support/until.ts';
import { head } from './exchange.ts';
import { type ServedAdmin, serveAdmin } from './serve-admin.ts';

const waking: PilotEvent = {
  at: '2026-01-01T00:00:00.000Z',
  type: 'waking',
  service: 'shop',
  message: 'shop waking (1 request waits)',
  data: { held: 1 },
};

/** A subscriber whose answer can be read while it lasts. */
function follow({ port }: ServedAdmin) {
  const socket = connect({ host: '127.0.0.1', port });
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  socket.write(head('GET', '/v1/live', { Host: `127.0.0.1:${port}` }));
  return {
    socket,
    get text() {
      return text;
    },
    get states(): LiveState[] {
      return [...text.matchAll(/event: state\ndata: (.*)\n\n/g)].map((match) => JSON.parse(match[1] as string));
    },
  };
}

test('the first state is whole, and one every second says what changed', async () => {
  const admin = await serveAdmin();
  const subscriber = follow(admin);
  await until('first state', () => subscriber.states.length === 1);
  expect(subscriber.states[0]).toMatchObject({
    isWhole: true,
    gone: [],
    services: [{ name: 'shop' }, { name: 'wiki' }],
  });
  admin.clock.advance(1000);
  await until('second state', () => subscriber.states.length === 2);
  expect(subscriber.states[1]).toMatchObject({ isWhole: false, gone: [], services: [] });
  admin.control.known = [{ ...(await admin.control.service('shop')), held: 3 }];
  admin.clock.advance(1000);
  await until('third state', () => subscriber.states.length === 3);
  expect(subscriber.states[2]).toMatchObject({ isWhole: false, gone: ['wiki'], services: [{ name: 'shop', held: 3 }] });
});

test('who comes later gets the whole state, and the others only what changed', async () => {
  const admin = await serveAdmin();
  const early = follow(admin);
  await until('first state', () => early.states.length === 1);
  const late = follow(admin);
  await until('its first state', () => late.states.length === 1 && early.states.length === 2);
  expect(late.states[0]?.services).toHaveLength(2);
  expect(early.states[1]).toMatchObject({ isWhole: false, services: [] });
});

test('what happened comes before the state after it', async () => {
  const admin = await serveAdmin();
  const subscriber = follow(admin);
  await until('first state', () => subscriber.states.length === 1);
  admin.control.emit(waking);
  admin.clock.advance(1000);
  await until('second state', () => subscriber.states.length === 2);
  const at = subscriber.text.indexOf(`event: waking\ndata: ${JSON.stringify(waking)}\n\n`);
  expect(at).toBeGreaterThan(subscriber.text.indexOf('event: state'));
  expect(at).toBeLessThan(subscriber.text.lastIndexOf('event: state'));
});

test('nothing is collected once nobody follows', async () => {
  const admin = await serveAdmin();
  const subscriber = follow(admin);
  await until('followed', () => subscriber.states.length === 1 && admin.clock.pending === 1);
  subscriber.socket.destroy();
  await until('left alone', () => admin.clock.pending === 0 && admin.control.sinks.size === 0);
});

test('who reads nothing holds no more than a state, and gets the whole one when it reads again', async () => {
  const admin = await serveAdmin();
  const subscriber = follow(admin);
  await until('first state', () => subscriber.states.length === 1);
  subscriber.socket.pause();
  const shop = await admin.control.service('shop');
  const reason = 'x'.repeat(1_000_000);
  for (let held = 1; held <= 40; held++) {
    admin.control.known = [{ ...shop, held, heldBack: { since: '', guards: [], reason } }];
    admin.clock.advance(1000);
    await admin.control.services();
    await new Promise(setImmediate);
  }
  const seen = subscriber.states.length;
  subscriber.socket.resume();
  admin.control.known = [{ ...shop, held: 99 }];
  await until('the last state', async () => {
    admin.clock.advance(1000);
    return subscriber.states.some(({ isWhole, services }) => isWhole && services[0]?.held === 99);
  });
  // What the kernel took, and what was under way when it was full.
  expect(subscriber.states.filter(({ services }) => (services[0]?.held ?? 99) < 99).length - seen).toBeLessThan(30);
});

test('the 17th subscriber is refused', async () => {
  const admin = await serveAdmin();
  const subscribers = Array.from({ length: 16 }, () => follow(admin));
  await until('all follow', () => subscribers.every(({ states }) => states.length > 0));
  const refused = await admin.ask('GET', '/v1/live');
  expect(refused.status).toBe(503);
  expect(JSON.parse(refused.body).code).toBe('TOO_MANY_SUBSCRIBERS');
});
