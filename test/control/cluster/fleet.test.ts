import { expect, test } from 'vitest';
import { testService } from '../support/settings.ts';
import { Fleet } from './fleet.ts';

const service = (idleMs = 3_600_000) => testService('shop', { scale: { idleMs } });

test('cold requests at three proxies come to one start', async () => {
  const fleet = new Fleet(3, [service()]);
  await fleet.run(8000);
  const requests = fleet.members.flatMap(({ edge }) => Array.from({ length: 20 }, () => edge.request('shop')));
  await fleet.run(3000);
  expect(requests.map(({ outcome }) => outcome)).toEqual(requests.map(() => 'answered'));
  expect(fleet.runtime.calls).toEqual(['start shop-1']);
  expect(fleet.errors).toEqual([]);
});

test('what was held when the leader was killed is answered under the next one, from the start that was under way', async () => {
  const fleet = new Fleet(3, [service()]);
  fleet.runtime.behaviour.readyMs = 2000;
  await fleet.run(8000);
  const leader = fleet.members.find(({ name }) => fleet.consul.state.leader?.member === name);
  const others = fleet.members.filter((member) => member !== leader);
  const requests = others.map(({ edge }) => edge.request('shop'));
  await fleet.run(500);
  expect(fleet.runtime.calls).toEqual(['start shop-1']);
  leader?.kill();
  await fleet.run(29_000);
  expect(requests.map(({ outcome }) => outcome)).toEqual(['answered', 'answered']);
  expect(fleet.runtime.calls).toEqual(['start shop-1']);
});
