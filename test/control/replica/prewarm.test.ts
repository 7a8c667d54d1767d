import { expect, test } from 'vitest';
import { PilotlightError } from '../../../src/model/errors.ts';
import { testImage, testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

test('a replica that cannot be prepared is tried again, though another of the service could be', async () => {
  const world = new World([testService('hello', { run: testImage('shop:1'), scale: { max: 2 } })], {}, 'docker');
  const { prepare } = world.runtime;
  world.runtime.prepare = (spec) => {
    if (spec.ordinal === 2 && world.clock.now() < 1000)
      return Promise.reject(new PilotlightError('RUNTIME_FAILED', 'not now'));
    // The first one is prepared after the other one was refused.
    return new Promise((resolve) => world.clock.after(100, () => resolve(prepare.call(world.runtime, spec))));
  };
  await world.start();
  await world.run(3000);
  expect([...world.runtime.prepared]).toEqual(['hello-1']);
  await world.run(10_000);
  expect([...world.runtime.prepared].sort()).toEqual(['hello-1', 'hello-2']);
});
