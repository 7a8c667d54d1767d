import { expect, test } from 'vitest';
import { type Opened, type Opener, Unproven } from '../../../src/edge/service/unproven.ts';
import { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

/** Connections to a replica in doubt: what is asked about it, and what whoever opened them is told. */
function opening() {
  const clock = new VirtualClock();
  const asked: number[] = [];
  const unproven = new Unproven(clock, ({ doubt }) => asked.push(doubt));
  const view = {
    id: 'app-1#1',
    host: '127.0.0.1',
    port: 1,
    state: 'ready',
    weight: 1,
    ours: true,
    start: null,
  } as const;
  const endpoint = new Endpoint(view);
  const told: string[] = [];
  const add = (name: string) => {
    const opener: Opener = { onProven: (_, isProven) => told.push(`${name} ${isProven} ${clock.now()}`) };
    unproven.add(opener, endpoint, { usable: true } as Opened);
  };
  return { clock, unproven, endpoint, asked, told, add };
}

test('each connection waits its second for an answer of control, whoever waits before it', () => {
  const { clock, told, add } = opening();
  add('first');
  clock.advance(900);
  add('second');
  clock.advance(100);
  expect(told).toEqual(['first true 1000']);
  clock.advance(899);
  expect(told).toHaveLength(1);
  clock.advance(1);
  expect(told).toEqual(['first true 1000', 'second true 1900']);
});

test('where control has not answered for a second, no other connection waits until it does', () => {
  const { clock, unproven, endpoint, asked, told, add } = opening();
  add('first');
  for (let at = 100; at <= 5000; at += 100) {
    clock.advance(100);
    add(`at ${at}`);
  }
  const waited = told.filter((line) => !/^at (\d+) true \1$/.test(line));
  // Those that were opened within the first second, and no more.
  expect(waited.map((line) => line.replace(/ true.*/, ''))).toEqual([
    'first',
    ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => `at ${n}00`),
  ]);
  expect(asked).toHaveLength(6);
  unproven.trust(endpoint, asked.at(-1) as number);
  add('heard again');
  clock.advance(10);
  expect(told.at(-1)).not.toContain('heard again');
  unproven.trust(endpoint, asked.at(-1) as number);
  expect(told.at(-1)).toBe('heard again true 5010');
  // Another control plane has its second, too.
  add('another');
  clock.advance(1000);
  unproven.askAgain();
  add('yet another');
  expect(told.at(-1)).toBe('another true 6010');
});

test('one question is open at a time: who comes meanwhile is asked about with all others when it is answered', () => {
  const { clock, unproven, endpoint, asked, told, add } = opening();
  for (let n = 1; n <= 50; n++) add(`${n}`);
  expect(asked).toEqual([1]);
  clock.advance(5);
  unproven.trust(endpoint, 1);
  expect(asked).toEqual([1, 50]);
  // What the look before saw is no proof of what was opened later.
  expect(told).toEqual(['1 true 5']);
  clock.advance(5);
  unproven.trust(endpoint, 50);
  expect(told).toHaveLength(50);
  expect(asked).toHaveLength(2);
});
