import { expect, test } from 'vitest';
import { troubles } from '../../../src/model/events.ts';
import { FakeSource } from '../support/fake-discovery.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const address = '[fd00::5]:3000';

test('a bad answer is an event that names service, endpoint and fault', async () => {
  const world = await World.started([testService('hello')]);
  world.edge.say({ type: 'bad-answer', service: 'hello', address, fault: 'Transfer-Encoding twice', count: 1 });
  world.edge.say({ type: 'bad-answer', service: 'hello', address, fault: 'bare LF', count: 7 });
  await world.run(10);
  expect(world.events.filter(({ type }) => type === 'bad-answer')).toMatchObject([
    {
      service: 'hello',
      message: 'hello got an answer from [fd00::5]:3000 that is not valid HTTP: Transfer-Encoding twice',
      data: { address, fault: 'Transfer-Encoding twice', count: 1 },
    },
    {
      message:
        'hello got an answer from [fd00::5]:3000 that is not valid HTTP: bare LF (7 times since this was last said)',
    },
  ]);
  expect(troubles.has('bad-answer')).toBe(true);
});

test('what several edges say of one fault is one event a minute, with how often it occurred', async () => {
  const world = await World.started([testService('hello')]);
  const say = (count: number) =>
    world.edge.say({ type: 'bad-answer', service: 'hello', address, fault: 'bare LF', count });
  say(1);
  say(1);
  await world.run(1000);
  say(3);
  await world.run(60_000);
  say(2);
  await world.run(10);
  const counts = world.events.filter(({ type }) => type === 'bad-answer').map(({ data }) => data['count']);
  expect(counts).toEqual([1, 6]);
});

test('an ejection is an event that says for how long, and what the last failure was', async () => {
  const world = await World.started([testService('hello')]);
  world.edge.say({ type: 'ejected', service: 'hello', address, forMs: 30_000, failures: 5, why: 'status 503' });
  await world.run(10);
  expect(world.events.find(({ type }) => type === 'ejected')).toMatchObject({
    service: 'hello',
    message: 'hello ejected [fd00::5]:3000 for 30s: 5 failures in a row, the last: status 503',
    data: { address, forMs: 30_000, failures: 5, why: 'status 503' },
  });
});

test('a start whose port speaks TLS fails with that, not with its time', async () => {
  const world = await World.started([testService('hello')]);
  Object.assign(world.runtime.behaviour, { readyMs: 'never' });
  world.edge.request('hello');
  await world.run(300);
  const { probe } = world.edge.messages.findLast(({ type }) => type === 'probe') as { probe: string };
  world.edge.say({ type: 'probed', probe, ok: false, reason: 'tls', detail: 'the endpoint speaks TLS' });
  await world.run(300);
  expect((await world.status('hello')).startFailure).toMatchObject({
    code: 'SPEAKS_TLS',
    message: 'the endpoint speaks TLS on 127.0.0.1:10001: TLS to upstreams is not supported yet',
  });
});

test('an endpoint of IPv6 is shown with brackets', async () => {
  const source = new FakeSource('static');
  const routed = testService('routed', { run: undefined });
  const world = await World.started([routed], { sources: [source] });
  source.sayAt('FD00::5', 'routed', 3000);
  await world.run(100);
  expect((await world.status('routed')).replicas).toMatchObject([{ id: '[fd00::5]:3000', address: '[fd00::5]:3000' }]);
});
