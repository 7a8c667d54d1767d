import { expect, test } from 'vitest';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

/** A world with one replica that is ready, and the looks at it from now on. */
async function awake() {
  const world = await World.started([testService('hello', { scale: { min: 1 } })]);
  await world.run(6000);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  let looks = 0;
  const inspect = world.runtime.inspect.bind(world.runtime);
  world.runtime.inspect = async (id) => {
    looks++;
    return inspect(id);
  };
  const suspect = (doubt: number, edge = world.edge) =>
    edge.say({ type: 'suspect', service: 'hello', endpoint: 'hello-1#1', cause: 'closed', doubt });
  const trusted = (edge = world.edge) =>
    edge.messages.flatMap((message) => (message.type === 'trust' ? [message.doubt] : []));
  return { world, suspect, trusted, looks: () => looks };
}

test('lost connections are trusted again after two looks: the first may be too early', async () => {
  const { world, suspect, trusted, looks } = await awake();
  suspect(1);
  await world.run(20, 5);
  expect([looks(), trusted()]).toEqual([1, []]);
  await world.run(100, 5);
  expect([looks(), trusted()]).toEqual([2, [1]]);
  expect(world.errors).toEqual([]);
});

test('however many ask at once, one looks', async () => {
  const { world, suspect, trusted, looks } = await awake();
  const other = world.addEdge('edge-2');
  await world.run(100);
  for (let doubt = 1; doubt <= 20; doubt++) suspect(doubt);
  suspect(7, other);
  await world.run(200, 5);
  expect(looks()).toBe(2);
  expect(trusted()).toHaveLength(20);
  expect(trusted(other)).toEqual([7]);
});

test('the other edges are told once of a doubt, as they may have no connection that would tell them', async () => {
  const { world, suspect } = await awake();
  const other = world.addEdge('edge-2');
  await world.run(100);
  const warned = (edge: typeof other) => edge.messages.filter(({ type }) => type === 'doubt').length;
  suspect(1);
  suspect(2);
  await world.run(20, 5);
  expect([warned(world.edge), warned(other)]).toEqual([0, 1]);
  // Its own doubt in turn is no news.
  suspect(1, other);
  await world.run(200, 5);
  expect([warned(world.edge), warned(other)]).toEqual([0, 1]);
});

test('a replica that closes its connections as a habit is looked at once each time', async () => {
  const { world, suspect, trusted, looks } = await awake();
  for (let doubt = 1; doubt <= 5; doubt++) {
    suspect(doubt);
    await world.run(2000);
  }
  expect(trusted()).toEqual([1, 2, 3, 4, 5]);
  expect(looks()).toBe(6);
});

test('one that does so many times a second is looked at once in 25 ms, and trusted after each look', async () => {
  const { world, suspect, trusted, looks } = await awake();
  suspect(1);
  await world.run(200, 5);
  const before = looks();
  for (let doubt = 2; doubt <= 201; doubt++) {
    suspect(doubt);
    await world.run(1, 1);
  }
  await world.run(50, 5);
  expect(looks() - before).toBeLessThanOrEqual(9);
  expect(trusted()).toHaveLength(201);
});

test('one that is gone, or runs anew, is not trusted but replaced in what the edges know', async () => {
  const { world, suspect, trusted } = await awake();
  world.runtime.silent = true;
  world.runtime.exit('hello-1');
  suspect(1);
  await world.run(100, 5);
  expect(trusted()).toEqual([]);
  expect(world.edge.ready('hello')).not.toContain('hello-1#1');
});

test('where the runtime cannot be asked, what is known holds at once', async () => {
  const { world, suspect, trusted } = await awake();
  world.runtime.behaviour.unreachable = true;
  suspect(1);
  await world.run(20, 5);
  expect(trusted()).toEqual([1]);
  expect(world.edge.ready('hello')).toEqual(['hello-1#1']);
  // It was not seen: no habit is known.
  world.runtime.behaviour.unreachable = false;
  suspect(2);
  await world.run(20, 5);
  expect(trusted()).toEqual([1]);
  await world.run(100, 5);
  expect(trusted()).toEqual([1, 2]);
});
