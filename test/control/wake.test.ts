import { expect, test } from 'vitest';
import { testService } from './support/settings.ts';
import { World } from './support/world.ts';

test('a request for a sleeping service starts exactly one replica and is dispatched when it is ready', async () => {
  const world = await World.started([testService('hello')]);
  const request = world.edge.request('hello');
  await world.run(400);
  expect(request.outcome).toBe('answered');
  expect(request.endedAt - request.arrivedAt).toBeLessThan(250);
  expect(world.runtime.calls).toEqual(['start hello-1']);
  expect(world.messagesOf('waking')).toEqual(['hello waking (1 request waits)']);
  expect(world.messagesOf('ready')[0]).toMatch(/^hello ready in \d+ ms \(hello-1\)$/);
  expect(world.errors).toEqual([]);
});
