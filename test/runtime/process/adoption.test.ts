import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Instance, RuntimeEvent } from '../../../src/model/runtime.ts';
import { startTokenOf } from '../../../src/runtime/process/table.ts';
import { until } from '../../support/until.ts';
import { answer, never, nodeSpec, pidOf, processBench, SERVER, STOP } from './processes.ts';

const bench = processBench();

test('another runtime over the same state finds the replica, as it was, and stops it', async () => {
  const folder = await bench.stateDirectory();
  const started = await bench.runtime(folder).start(nodeSpec(SERVER), never);
  const later = bench.runtime(folder);
  expect(await later.list([], never)).toEqual([started]);
  expect(await later.start(nodeSpec(SERVER), never)).toEqual(started);
  await later.stop(started.id, STOP, never);
  expect(startTokenOf(pidOf(started))).toBeUndefined();
  expect(await later.list([], never)).toEqual([]);
});

test('a replica is found by its id before anything was listed', async () => {
  const folder = await bench.stateDirectory();
  const started = await bench.runtime(folder).start(nodeSpec(SERVER), never);
  expect(await bench.runtime(folder).inspect(started.id, never)).toEqual(started);
});

test('a replica outlives the program that started it', async () => {
  const folder = await bench.stateDirectory();
  const program = `
    import { createProcessRuntime } from '${join(import.meta.dirname, '../../../src/runtime/process/runtime.ts')}';
    import { systemClock } from '${join(import.meta.dirname, '../../../src/util/clock.ts')}';
    const logger = { debug() {}, info() {}, warn() {}, error() {} };
    const options = { stateDirectory: ${JSON.stringify(folder)}, clock: systemClock, logger, instance: 'bench' };
    const spec = ${JSON.stringify(nodeSpec(SERVER))};
    const instance = await createProcessRuntime(options).start(spec, new AbortController().signal);
    console.log(JSON.stringify(instance));
  `;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module-typescript', '-e', program]);
  const started: Instance = JSON.parse(stdout);
  await until('the replica answers', async () => (await answer(started)) === String(pidOf(started)));
  expect(await bench.runtime(folder).list([], never)).toEqual([started]);
});

test('the end of an adopted replica is told', async () => {
  const folder = await bench.stateDirectory();
  const started = await bench.runtime(folder).start(nodeSpec(SERVER), never);
  const later = bench.runtime(folder);
  const events: RuntimeEvent[] = [];
  const watch = new AbortController();
  later.watch((event) => events.push(event), watch.signal);
  await later.list([], never);
  process.kill(pidOf(started), 'SIGKILL');
  await until('its end is told', () => events.length > 0);
  expect(events).toEqual([{ type: 'exited', id: started.id, service: 'app', ordinal: 1 }]);
  expect(await later.inspect(started.id, never)).toMatchObject({ state: 'stopped', exitCode: undefined });
  watch.abort();
});

test('a pid that belongs to another process by now is neither adopted nor touched', async () => {
  const folder = await bench.stateDirectory();
  const other = await bench.runtime(await bench.stateDirectory()).start(nodeSpec(SERVER), never);
  const record = { instance: 'bench', service: 'app', ordinal: 1, hash: 'h1', startedAt: 1, port: 4000 };
  const path = await writeRecord(folder, 'app-1', { ...record, pid: pidOf(other), start: '1' });
  const runtime = bench.runtime(folder);
  expect(await runtime.list([], never)).toEqual([]);
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  await runtime.stop(`${pidOf(other)}@1`, STOP, never);
  expect(startTokenOf(pidOf(other))).toBe(other.id.split('@')[1]);
});

test('records of another instance are left alone', async () => {
  const folder = await bench.stateDirectory();
  const started = await bench.runtime(folder, { instance: 'neighbour' }).start(nodeSpec(SERVER), never);
  const runtime = bench.runtime(folder);
  expect(await runtime.list([], never)).toEqual([]);
  expect(await runtime.inspect(started.id, never)).toBeUndefined();
  expect(await bench.runtime(folder, { instance: 'neighbour' }).list([], never)).toEqual([started]);
});

test('a broken record is removed and hinders nobody', async () => {
  const folder = await bench.stateDirectory();
  const paths = [
    await writeRecord(folder, 'app-1', '{ "instance": "bench", "pid"'),
    await writeRecord(folder, 'app-2', { instance: 'bench' }),
    await writeRecord(folder, 'app-3', 'null'),
  ];
  const runtime = bench.runtime(folder);
  expect(await runtime.list([], never)).toEqual([]);
  for (const path of paths) await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(runtime.start(nodeSpec(SERVER), never)).resolves.toMatchObject({ state: 'running' });
});

async function writeRecord(folder: string, name: string, record: object | string): Promise<string> {
  await mkdir(join(folder, 'processes'), { recursive: true });
  const path = join(folder, 'processes', `${name}.json`);
  await writeFile(path, typeof record === 'string' ? record : JSON.stringify(record));
  return path;
}
