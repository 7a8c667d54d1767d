import { expect, test } from 'vitest';
import { LinkHub, type LinkListener, type ProbeOrder } from '../../../src/control/link/hub.ts';
import type { ControlMessage, EdgeMessage } from '../../../src/model/link.ts';
import { silentLogger } from '../../../src/model/observe.ts';
import { type ChannelEnd, createChannel } from '../../../src/util/channel.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

const deaf: LinkListener = {
  onDemand() {},
  onReport() {},
  onLate() {},
  onAck() {},
  onDrained() {},
  onSuspect() {},
  onBadAnswer() {},
  onUnreachable() {},
  onEjected() {},
  onDetached() {},
  onReturned() {},
};

const order: ProbeOrder = {
  service: 'a',
  endpoint: 'a-1#1',
  host: '127.0.0.1',
  port: 1,
  check: { kind: 'connect' },
  timeoutMs: 5000,
};

function hubWith(listener: Partial<LinkListener> = {}) {
  const clock = new VirtualClock();
  const table = { routes: [], services: [], trustedProxies: [], heldBytes: 0 };
  const hub = new LinkHub(clock, silentLogger, { ...deaf, ...listener }, () => ({ table, states: [] }));
  const attach = (name: string) => {
    const [mine, theirs] = createChannel<EdgeMessage, ControlMessage>();
    const received: ControlMessage[] = [];
    theirs.onMessage((message) => received.push(message));
    hub.attach(name, mine);
    return { link: theirs, received };
  };
  return { clock, hub, attach };
}

const report = (link: ChannelEnd<ControlMessage, EdgeMessage>, collect: number | null = null) =>
  link.post({ type: 'report', collect, spanMs: 1000, services: [], connections: 3, unrouted: [], accessLost: 0 });

test('a probe goes to the edge on which most requests wait, and a cancelled one is called off there', async () => {
  const { clock, hub, attach } = hubWith();
  const [one, two] = [attach('one'), attach('two')];
  two.link.post({ type: 'demand', service: 'a', held: 3, inFlight: 0 });
  await clock.advanceAsync(0);
  const abort = new AbortController();
  const outcome = hub.probe(order, abort.signal);
  await clock.advanceAsync(0);
  expect(one.received.map(({ type }) => type)).toEqual(['table']);
  expect(two.received[1]).toMatchObject({ type: 'probe', endpoint: 'a-1#1', timeoutMs: 5000 });
  abort.abort(new Error('no longer wanted'));
  await expect(outcome).rejects.toThrow('no longer wanted');
  await clock.advanceAsync(0);
  expect(two.received[2]).toMatchObject({ type: 'cancel-probe' });
  expect(clock.pending).toBe(0);
});

test('without an edge a probe waits for one; its time goes on meanwhile', async () => {
  const { clock, hub, attach } = hubWith();
  const outcome = hub.probe(order, new AbortController().signal);
  await clock.advanceAsync(2000);
  const { link, received } = attach('late');
  await clock.advanceAsync(0);
  const probe = received.find((message) => message.type === 'probe');
  expect(probe).toMatchObject({ timeoutMs: 3000 });
  link.post({ type: 'probed', probe: probe?.probe ?? '', ok: true, host: '127.0.0.1' });
  expect(await outcome).toEqual({ ok: true, host: '127.0.0.1' });
});

test('an edge that never answers a probe counts as a timeout', async () => {
  const { clock, hub, attach } = hubWith();
  attach('silent');
  const outcome = hub.probe(order, new AbortController().signal);
  await clock.advanceAsync(6000);
  expect(await outcome).toMatchObject({ ok: false, reason: 'timeout' });
});

test('an answer to a probe counts only from the edge that was asked', async () => {
  const { clock, hub, attach } = hubWith();
  const [one, two] = [attach('one'), attach('two')];
  const outcome = hub.probe(order, new AbortController().signal);
  await clock.advanceAsync(0);
  const probe = one.received.find((message) => message.type === 'probe')?.probe ?? '';
  two.link.post({ type: 'probed', probe, ok: true, host: '127.0.0.1' });
  await clock.advanceAsync(0);
  one.link.post({ type: 'probed', probe, ok: false, reason: 'timeout', detail: '' });
  expect(await outcome).toMatchObject({ ok: false });
});

test('data is fresh only when every edge reported within three seconds', async () => {
  const { clock, hub, attach } = hubWith();
  expect(hub.fresh).toBe(false);
  const [one, two] = [attach('one'), attach('two')];
  report(one.link);
  await clock.advanceAsync(0);
  expect(hub.fresh).toBe(false);
  report(two.link);
  await clock.advanceAsync(3000);
  expect(hub.fresh).toBe(true);
  expect(hub.connections).toBe(6);
  await clock.advanceAsync(1);
  expect(hub.fresh).toBe(false);
  report(one.link);
  two.link.close();
  await clock.advanceAsync(0);
  expect(hub.fresh).toBe(true);
});

test('a collect ends with the last answer, with the last edge, or with its time', async () => {
  const { clock, hub, attach } = hubWith();
  const [one, two] = [attach('one'), attach('two')];
  let ended = 0;
  const collect = () => void hub.collect(250).then(() => ended++);
  collect();
  await clock.advanceAsync(0);
  report(one.link, 1);
  report(two.link, null);
  await clock.advanceAsync(0);
  expect(ended).toBe(0);
  report(two.link, 1);
  await clock.advanceAsync(0);
  expect(ended).toBe(1);
  collect();
  await clock.advanceAsync(0);
  report(one.link, 2);
  two.link.close();
  await clock.advanceAsync(0);
  expect(ended).toBe(2);
  collect();
  await clock.advanceAsync(250);
  expect(ended).toBe(3);
  expect(clock.pending).toBe(0);
});

test('versions only grow, over all kinds of messages', async () => {
  const { clock, hub, attach } = hubWith();
  const one = attach('one');
  const state = {
    service: 'a',
    endpoints: [],
    holdTimeoutMs: 1,
    starting: false,
    inFlightLimit: null,
    expectedStartMs: null,
    blocked: null,
    failures: 0,
  };
  hub.publish({ state, content: 'a' });
  hub.publishTable();
  const last = hub.publish({ state, content: 'b' });
  attach('two');
  await clock.advanceAsync(0);
  const versions = one.received.map((message) => ('version' in message ? message.version : 0));
  expect(versions).toEqual([...versions].sort((a, b) => a - b));
  expect(new Set(versions).size).toBe(4);
  expect(versions.at(-1)).toBe(last);
});

test('what an edge that was replaced still says is ignored', async () => {
  const demands: number[] = [];
  const { clock, attach } = hubWith({ onDemand: (_, { held }) => demands.push(held) });
  const old = attach('one');
  const anew = attach('one');
  old.link.post({ type: 'demand', service: 'a', held: 7, inFlight: 0 });
  anew.link.post({ type: 'demand', service: 'a', held: 1, inFlight: 0 });
  await clock.advanceAsync(0);
  expect(demands).toEqual([1]);
});

test('edges that attach at once get one table, and after a change another one', async () => {
  const { clock, hub, attach } = hubWith();
  const [one, two] = [attach('one'), attach('two')];
  await clock.advanceAsync(0);
  expect(two.received[0]).toBe(one.received[0]);
  hub.publishTable();
  const three = attach('three');
  await clock.advanceAsync(0);
  expect(three.received[0]).toMatchObject({ type: 'table', version: 3 });
  await clock.advanceAsync(100);
  const four = attach('four');
  await clock.advanceAsync(0);
  expect(four.received[0]).toMatchObject({ type: 'table', version: 4 });
});
