import { expect, test } from 'vitest';
import { Store } from '../../src/dashboard/store.ts';
import type { LiveState } from '../../src/model/live.ts';
import { serviceStatus } from '../support/service-status.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const state = (names: string[], more: Partial<LiveState> = {}): LiveState => ({
  at: '2026-01-01T00:00:00.000Z',
  isWhole: false,
  services: names.map((name) => serviceStatus({ name })),
  gone: [],
  ...more,
});

test('a whole state replaces all, a change adds to it in the order of names', () => {
  let changes = 0;
  const store = new Store(() => changes++);
  store.takeState(state(['b', 'd'], { isWhole: true }), NOW);
  store.takeState(state(['a', 'c'], { gone: ['d'] }), NOW);
  expect([...store.services.keys()]).toEqual(['a', 'b', 'c']);
  store.takeState(state(['x'], { isWhole: true }), NOW);
  expect([...store.services.keys()]).toEqual(['x']);
  expect(changes).toBe(3);
});

test('what is shown is old when nothing comes for a while, or the token is refused', () => {
  const store = new Store(() => undefined);
  expect(store.isOld(NOW)).toBe(false);
  store.takeState(state(['a']), NOW);
  expect(store.isOld(NOW + 3000)).toBe(false);
  expect(store.isOld(NOW + 5000)).toBe(true);
  store.takeLink({ state: 'refused' });
  expect(store.isOld(NOW)).toBe(true);
});

test('a quiet service has a point every second, too', () => {
  const store = new Store(() => undefined);
  const busy = serviceStatus({ name: 'a', state: 'ready', perSecond: { arrivals: 7, good: 6, shed: 0, errors: 1 } });
  store.takeState(state([], { isWhole: true, services: [busy] }), NOW);
  store.takeState(state([], { at: '2026-01-01T00:00:01.000Z' }), NOW + 1000);
  const [times, arrivals, p95] = store.historyOf('a').columns(['arrivals', 'p95']);
  expect(times).toEqual([NOW / 1000, NOW / 1000 + 1]);
  expect(arrivals).toEqual([7, 7]);
  expect(p95).toEqual([null, null]);
});

test('events are kept newest first, and not without end', () => {
  const store = new Store(() => undefined);
  for (let count = 0; count < 400; count++) {
    store.takeEvent({ at: '', type: 'ready', service: null, message: `${count}`, data: {} });
  }
  expect(store.events).toHaveLength(300);
  expect(store.events[0]?.message).toBe('399');
});

test('the history of a service holds the last five minutes', () => {
  const store = new Store(() => undefined);
  for (let second = 0; second < 400; second++) {
    const at = new Date(NOW + second * 1000).toISOString();
    store.takeState(state([], { at, services: [serviceStatus({ name: 'a', state: 'ready', held: second })] }), NOW);
  }
  const [times, held] = store.historyOf('a').columns(['held']);
  expect(times).toHaveLength(300);
  expect(held?.at(0)).toBe(100);
  expect(held?.at(-1)).toBe(399);
});
