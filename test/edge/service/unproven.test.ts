import { expect, test } from 'vitest';
import { type Opened, type Opener, Unproven } from '../../../src/edge/service/unproven.ts';
import { Endpoint } from '../../../src/edge/upstream/endpoint.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';

test('each connection waits its second for an answer of control, whoever waits before it', () => {
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
  add('first');
  clock.advance(900);
  add('second');
  clock.advance(100);
  expect(told).toEqual(['first true 1000']);
  clock.advance(899);
  expect(told).toHaveLength(1);
  clock.advance(1);
  expect(told).toEqual(['first true 1000', 'second true 1900']);
  expect(asked).toEqual([1, 2]);
});
