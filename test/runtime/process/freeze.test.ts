import { expect, test } from 'vitest';
import type { RuntimeEvent } from '../../../src/model/runtime.ts';
import { isFrozen, isGroupFrozen } from '../../../src/runtime/process/table.ts';
import { until } from '../../support/until.ts';
import { answer, never, nodeSpec, pidOf, processBench, SERVER, STOP } from './processes.ts';

const bench = processBench();

/** Has a child of its own, which counts in the output. */
const FAMILY = `${SERVER}
  require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => console.log("child"), 10)'], { stdio: 'inherit' });
`;

async function started(script = SERVER) {
  const folder = await bench.stateDirectory();
  const runtime = bench.runtime(folder);
  const instance = await runtime.start(nodeSpec(script), never);
  await until('the replica answers', async () => (await answer(instance)) !== undefined);
  return { folder, runtime, instance, pid: pidOf(instance) };
}

test('a paused replica and its children do nothing, and go on as they were', async () => {
  const { runtime, instance, pid } = await started(FAMILY);
  await until('the child runs', async () => (await runtime.output(instance.id, 1, never))[0] === 'child');
  await runtime.pause?.(instance.id, never);
  expect(isGroupFrozen(pid)).toBe(true);
  expect(await runtime.inspect(instance.id, never)).toMatchObject({ state: 'paused', address: instance.address });
  const before = await runtime.output(instance.id, 10_000, never);
  expect(await runtime.list([], never)).toMatchObject([{ id: instance.id, state: 'paused' }]);
  expect(await runtime.output(instance.id, 10_000, never)).toEqual(before);
  expect(await runtime.resume?.(instance.id, never)).toMatchObject({ id: instance.id, state: 'running' });
  expect(await answer(instance)).toBe(String(pid));
  await until(
    'the child goes on',
    async () => (await runtime.output(instance.id, 10_000, never)).length > before.length,
  );
});

test('a paused replica is asked to end, and can', async () => {
  const { runtime, instance, pid } = await started(`${SERVER} process.on('SIGTERM', () => process.exit(3))`);
  await runtime.pause?.(instance.id, never);
  await runtime.stop(instance.id, STOP, never);
  expect(await runtime.inspect(instance.id, never)).toMatchObject({ state: 'stopped', exitCode: 3 });
  expect(isGroupFrozen(pid)).toBe(true);
});

test('another run of the program finds it paused, can have it go on, and can end it', async () => {
  const { folder, runtime, instance } = await started();
  await runtime.pause?.(instance.id, never);
  const next = bench.runtime(folder);
  expect(await next.list([], never)).toMatchObject([{ id: instance.id, state: 'paused' }]);
  expect(await next.resume?.(instance.id, never)).toMatchObject({ state: 'running', address: instance.address });
  expect(await answer(instance)).toBeDefined();
  await next.pause?.(instance.id, never);
  await bench.runtime(folder).stop(instance.id, STOP, never);
  expect(await next.list([], never)).toEqual([]);
});

test('a start has one that is frozen go on', async () => {
  const { runtime, instance } = await started();
  await runtime.pause?.(instance.id, never);
  expect(await runtime.start(nodeSpec(SERVER), never)).toEqual(instance);
  expect(await answer(instance)).toBeDefined();
});

test('what somebody else freezes, has go on or kills is told', async () => {
  const { runtime, instance, pid } = await started();
  const events: RuntimeEvent['type'][] = [];
  const watch = new AbortController();
  runtime.watch(({ type }) => events.push(type), watch.signal);
  try {
    process.kill(-pid, 'SIGSTOP');
    await until('the freeze is told', () => events.length === 1);
    expect(await runtime.inspect(instance.id, never)).toMatchObject({ state: 'paused', endedByHand: 'yes' });
    process.kill(-pid, 'SIGCONT');
    await until('it is told that it goes on', () => events.length === 2);
    await runtime.pause?.(instance.id, never);
    process.kill(-pid, 'SIGKILL');
    await until('the end is told', () => events.length === 3);
    expect(events).toEqual(['exited', 'started', 'exited']);
  } finally {
    watch.abort();
  }
});

test('what has ended can be neither paused nor had go on', async () => {
  const { runtime, instance, pid } = await started();
  await runtime.stop(instance.id, STOP, never);
  for (const act of [runtime.pause?.bind(runtime), runtime.resume?.bind(runtime)]) {
    await expect(act?.(instance.id, never)).rejects.toMatchObject({ code: 'REPLICA_EXITED' });
  }
  expect(isFrozen(pid)).toBe(false);
});
