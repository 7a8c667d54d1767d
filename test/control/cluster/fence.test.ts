import { expect, test } from 'vitest';
import { fencedRuntime } from '../../../src/control/cluster/fence.ts';
import type { Runtime } from '../../../src/model/runtime.ts';

/** A runtime that tells what it was asked for, and takes all for done. */
function listening(asked: string[]): Runtime {
  const answer = (name: PropertyKey) => async () => void asked.push(String(name));
  return new Proxy(
    { name: 'docker' },
    {
      get: (target, key) => Reflect.get(target, key) ?? answer(key),
    },
  ) as unknown as Runtime;
}

test('without its right a leader asks an engine as before, and changes nothing there', async () => {
  const asked: string[] = [];
  const fence = { index: 7, holds: true };
  const runtime = fencedRuntime(listening(asked), fence);
  const signal = new AbortController().signal;
  const spec = {} as never;
  const acts = () => [
    runtime.prepare(spec, signal),
    runtime.start(spec, signal),
    runtime.pause?.('a', signal),
    runtime.resume?.('a', signal),
    runtime.stop('a', { signal: 'SIGTERM', graceMs: 1 }, signal),
    runtime.clean('shop', signal),
  ];
  await Promise.all(acts());
  expect(asked).toEqual(['prepare', 'start', 'pause', 'resume', 'stop', 'clean']);
  fence.holds = false;
  const refused = await Promise.allSettled(acts());
  expect(refused.map((each) => each.status === 'rejected' && each.reason.code)).toEqual(
    Array.from({ length: 6 }, () => 'CLUSTER_RIGHT_LOST'),
  );
  await Promise.all([runtime.list([], signal), runtime.inspect('a', signal)]);
  expect(asked.slice(6)).toEqual(['list', 'inspect']);
  expect(runtime.name).toBe('docker');
});
