import { expect, test } from 'vitest';
import type { Instance } from '../../../src/model/runtime.ts';
import { endingOf } from '../../../src/runtime/process/ending.ts';
import { oomKills } from '../../../src/runtime/process/oom-kills.ts';
import { isEnding } from '../../../src/runtime/process/table.ts';
import { until } from '../../support/until.ts';
import { never, nodeSpec, pidOf, processBench, SERVER } from './processes.ts';

const bench = processBench();
const counted = oomKills();

async function ended(script: string): Promise<Instance | undefined> {
  const runtime = bench.runtime(await bench.stateDirectory());
  const { id } = await runtime.start(nodeSpec(script), never);
  await until('it ended', async () => (await runtime.inspect(id, never))?.state === 'stopped');
  return runtime.inspect(id, never);
}

test.each([
  ['SIGTERM', 143],
  ['SIGINT', 130],
  ['SIGHUP', 129],
])('a process that %s ends was ended by somebody', async (signal, exitCode) => {
  const now = await ended(`setInterval(() => {}, 1000); process.kill(process.pid, '${signal}')`);
  expect(now).toMatchObject({ exitCode, endedByHand: 'yes' });
});

test.each([0, 143])('one that ends in order with code %i may have been asked to', async (exitCode) => {
  expect(await ended(`process.exit(${exitCode})`)).toMatchObject({ exitCode, endedByHand: 'perhaps' });
});

test('a crash is a crash', async () => {
  expect((await ended('process.abort()'))?.endedByHand).toBeUndefined();
  expect((await ended('process.exit(1)'))?.endedByHand).toBeUndefined();
});

test('SIGKILL is somebody’s where the kernel counts its own and did not count this one', async () => {
  const now = await ended("setInterval(() => {}, 1000); process.kill(process.pid, 'SIGKILL')");
  if (counted === undefined) expect(now).toMatchObject({ exitCode: 137, outOfMemory: 'perhaps' });
  else expect(now).toMatchObject({ exitCode: 137, endedByHand: 'yes' });
});

test('SIGKILL is for want of memory where the kernel counted one more, and perhaps where it does not count', () => {
  if (counted !== undefined)
    expect(endingOf(null, 'SIGKILL', counted - 1)).toEqual({ exitCode: 137, outOfMemory: 'yes' });
  expect(endingOf(null, 'SIGKILL', undefined)).toEqual({ exitCode: 137, outOfMemory: 'perhaps' });
});

test.runIf(process.platform === 'linux')(
  'what has closed all that it had is gone, before its end is told',
  async () => {
    const runtime = bench.runtime(await bench.stateDirectory());
    const instance = await runtime.start(nodeSpec(SERVER), never);
    const pid = pidOf(instance);
    process.kill(pid, 'SIGKILL');
    // Nothing is told meanwhile: that takes a turn of the event loop.
    const deadline = Date.now() + 60_000;
    while (!isEnding(pid) && Date.now() < deadline);
    expect(await runtime.inspect(instance.id, never)).toMatchObject({ state: 'stopped', exitCode: 137 });
  },
);
