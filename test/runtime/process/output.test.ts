import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Runtime } from '../../../src/model/runtime.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { never, nodeSpec, processBench, SERVER, STOP } from './processes.ts';

const MIB = 1024 * 1024;
const bench = processBench();

test('the last lines are what was printed last, by either stream, in the last run alone', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const first = await run(runtime, "console.log('one'); console.error('two'); process.stdout.write('three')");
  expect(await runtime.output(first, 2, never)).toEqual(['two', 'three']);
  expect(await runtime.output(first, 9, never)).toEqual(['one', 'two', 'three']);
  expect(await runtime.output(first, 0, never)).toEqual([]);
  const second = await run(runtime, "console.log('\\nfour')");
  expect(await runtime.output(second, 9, never)).toEqual(['', 'four']);
  expect(await runtime.output(first, 2, never)).toEqual([]);
});

test('a log that grew large is cut at the next start, whose output is told alone', async () => {
  const folder = await bench.stateDirectory();
  const runtime = bench.runtime(folder);
  await run(runtime, "console.log(('y'.repeat(99) + '\\n').repeat(15000))");
  const { id } = await runtime.start(nodeSpec(SERVER), never);
  await until(
    'the new run printed',
    async () => (await runtime.output(id, 1, never))[0]?.startsWith('listening') === true,
  );
  expect(await sizes(folder)).toEqual({ 'app-1.log': expect.any(Number), 'app-1.log.1': MIB });
  expect((await sizes(folder))['app-1.log']).toBeLessThan(1000);
  expect(await runtime.output(id, 3, never)).toEqual([expect.stringMatching(/^listening/)]);
});

test('a log is also cut while its process goes on writing', async () => {
  const folder = await bench.stateDirectory();
  const clock = new VirtualClock();
  const runtime = bench.runtime(folder, { clock });
  const watch = new AbortController();
  runtime.watch(() => undefined, watch.signal);
  const script = "console.log('z'.repeat(2 * 1024 * 1024)); setInterval(() => console.log('still here'), 20)";
  const { id } = await runtime.start(nodeSpec(script), never);
  await until('it grew large', async () => ((await sizes(folder))['app-1.log'] ?? 0) > 2 * MIB);
  clock.advance(30_000);
  await until('it was cut', async () => ((await sizes(folder))['app-1.log'] ?? 0) < MIB);
  await until('it is written to', async () => (await runtime.output(id, 1, never))[0] === 'still here');
  watch.abort();
});

test('cleaning up takes the logs of what does not run, of that service only', async () => {
  const folder = await bench.stateDirectory();
  const runtime = bench.runtime(folder);
  await run(runtime, '', 1);
  await runtime.start(nodeSpec(SERVER, {}, { ordinal: 2 }), never);
  const other = await runtime.start(nodeSpec(SERVER, {}, { service: 'app-1', ordinal: 1 }), never);
  await runtime.stop(other.id, STOP, never);
  await runtime.clean('app', never);
  expect((await readdir(join(folder, 'processes'))).sort()).toEqual(['app-1-1.log', 'app-2.json', 'app-2.log']);
});

async function run(runtime: Runtime, script: string, ordinal = 1): Promise<string> {
  const { id } = await runtime.start(nodeSpec(script, {}, { ordinal }), never);
  await until('it ended', async () => (await runtime.inspect(id, never))?.state === 'stopped');
  return id;
}

async function sizes(folder: string): Promise<Record<string, number>> {
  const names = (await readdir(join(folder, 'processes'))).filter((name) => name.includes('.log'));
  const entries = names.map(async (name) => [name, (await stat(join(folder, 'processes', name))).size] as const);
  return Object.fromEntries(await Promise.all(entries));
}
