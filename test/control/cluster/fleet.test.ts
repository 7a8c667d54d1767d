import { expect, test, vi } from 'vitest';
import { testService } from '../support/settings.ts';
import { type FakeMember, Fleet, LEASE_MS } from './fleet.ts';

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

test('a leader that ends in order while a replica takes its time hands over all the same', async () => {
  const fleet = new Fleet(3, [service()]);
  fleet.runtime.behaviour.readyMs = 60_000;
  await fleet.run(8000);
  const leader = fleet.members.find(({ name }) => fleet.consul.state.leader?.member === name) as FakeMember;
  const [other] = fleet.members.filter((member) => member !== leader);
  other?.edge.request('shop');
  await fleet.run(500);
  const ended = leader.control.shutdown(AbortSignal.timeout(100));
  // The limit of what is waited for is one of real time.
  await new Promise((resolve) => setTimeout(resolve, 300));
  await fleet.run(3000);
  await ended;
  expect(fleet.consul.state.leader?.member).not.toBe(leader.name);
  expect(fleet.consul.state.leader).toBeDefined();
  expect(fleet.runtime.calls).toEqual(['start shop-1']);
});

test('a member that never comes back has no record after a while, and one that lives has its own', async () => {
  const fleet = new Fleet(3, [service()]);
  await fleet.run(8000);
  const leader = fleet.consul.state.leader?.member;
  const dead = fleet.members.find(({ name }) => name !== leader) as FakeMember;
  const other = fleet.members.find(({ name }) => name !== leader && name !== dead.name) as FakeMember;
  // Its edges are told how many share the rates of routes: those that are only out of sight are counted.
  const told = vi.spyOn(other.relay, 'setMembers');
  dead.kill();
  await fleet.run(5 * 60_000, 250);
  expect(fleet.consul.records.has(dead.name)).toBe(true);
  expect(new Set(told.mock.calls.flat())).not.toContain(2);
  await fleet.run(6 * 60_000, 250);
  expect(fleet.consul.records.has(dead.name)).toBe(false);
  expect(fleet.consul.records.size).toBe(2);
  expect(told.mock.lastCall).toEqual([2]);
});

test('a member whose control plane cannot be built leaves the lead to another one', async () => {
  const fleet = new Fleet(3, [service()]);
  const [first, second, third] = fleet.members as [FakeMember, FakeMember, FakeMember];
  for (const member of [first, second]) member.cannotLead = true;
  await fleet.run(40_000);
  expect(fleet.consul.state.leader?.member).toBe(third.name);
  const request = first.edge.request('shop');
  await fleet.run(3000);
  expect(request.outcome).toBe('answered');
});

test('a leader whom no other member reaches leaves the lead to one that they reach', async () => {
  const fleet = new Fleet(3, [service()]);
  const [first, ...others] = fleet.members as [FakeMember, ...FakeMember[]];
  first.isUnreachable = true;
  await fleet.run(20_000);
  expect(fleet.consul.state.leader?.member).not.toBe(first.name);
  const requests = [first, ...others].map(({ edge }) => edge.request('shop'));
  await fleet.run(3000);
  expect(requests.map(({ outcome }) => outcome)).toEqual(['answered', 'answered', 'answered']);
});

test('of two that do not reach each other one leads, and goes on to', async () => {
  const fleet = new Fleet(2, [service()]);
  const [first, second] = fleet.members as [FakeMember, FakeMember];
  fleet.cut(first, second);
  await fleet.run(60_000, 50);
  const { leader } = fleet.consul.state;
  expect(leader).toBeDefined();
  await fleet.run(300_000, 50);
  expect(fleet.consul.state.leader).toEqual(leader);
  const request = fleet.member(leader?.member ?? '').edge.request('shop');
  await fleet.run(3000);
  expect(request.outcome).toBe('answered');
});

test('every member has a record of whom it follows, so that the next leader knows whom to wait for', async () => {
  const fleet = new Fleet(3, [service()]);
  await fleet.run(8000);
  const first = fleet.consul.state.leader;
  const indexes = () => [...fleet.consul.records.values()].map(({ index }) => index);
  expect(indexes()).toEqual([first?.index, first?.index, first?.index]);
  fleet.member(first?.member ?? '').kill();
  await fleet.run(30_000);
  const { leader } = fleet.consul.state;
  expect(leader?.index).toBeGreaterThan(first?.index ?? 0);
  expect(indexes().filter((index) => index === leader?.index)).toHaveLength(2);
});

test('a new leader tells its edges nothing until all that were led are here, for a lease at most', async () => {
  const fleet = new Fleet(3, [service()]);
  await fleet.run(8000);
  const leader = fleet.member(fleet.consul.state.leader?.member ?? '');
  const others = fleet.members.filter((member) => member !== leader) as [FakeMember, FakeMember];
  leader.kill();
  fleet.cut(...others);
  const next = () => others.find(({ name }) => fleet.consul.state.leader?.member === name);
  while (next() === undefined) await fleet.run(50);
  const tables = () => next()?.edge.messages.filter(({ type }) => type === 'table').length ?? 0;
  const before = tables();
  await fleet.run(LEASE_MS - 500);
  expect(tables()).toBe(before);
  await fleet.run(1500);
  expect(tables()).toBe(before + 1);
});
