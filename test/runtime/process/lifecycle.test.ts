import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { RuntimeEvent } from '../../../src/model/runtime.ts';
import { VirtualClock } from '../../../src/util/virtual-clock.ts';
import { until } from '../../support/until.ts';
import { answer, never, nodeSpec, pidOf, processBench, SERVER, STOP } from './processes.ts';

const bench = processBench();

test('a replica listens on the port it was given and is a process group of its own', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const instance = await runtime.start(nodeSpec(SERVER), never);
  expect(instance).toMatchObject({ service: 'app', ordinal: 1, hash: 'h1', state: 'running', health: 'none' });
  expect(Math.abs(instance.startedAt - Date.now())).toBeLessThan(30_000);
  await until('the replica answers', async () => (await answer(instance)) === String(pidOf(instance)));
  const stat = (await readFile(`/proc/${pidOf(instance)}/stat`, 'utf8')).split(') ')[1]?.split(' ');
  expect([stat?.[2], stat?.[3]]).toEqual([String(pidOf(instance)), String(pidOf(instance))]);
});

test('{port} is replaced in the arguments as well', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const script = "require('node:http').createServer((_, out) => out.end('here')).listen(process.argv[1], '127.0.0.1')";
  const command = [process.execPath, '-e', script, '{port}'];
  const instance = await runtime.start(nodeSpec('', { command, env: {} }), never);
  await until('the replica answers', async () => (await answer(instance)) === 'here');
});

test('a replica inherits a few harmless variables and none of our secrets', async () => {
  const baseEnv = { PATH: '/usr/bin:/bin', TZ: 'UTC', CONSUL_HTTP_TOKEN: 'secret', HOME: undefined };
  const runtime = bench.runtime(await bench.stateDirectory(), { baseEnv });
  const instance = await runtime.start(
    nodeSpec('console.log(JSON.stringify(process.env))', { env: { A: 'b' } }),
    never,
  );
  await until('the replica ended', async () => (await runtime.inspect(instance.id, never))?.state === 'stopped');
  const [line = ''] = await runtime.output(instance.id, 1, never);
  expect(JSON.parse(line)).toEqual({ PATH: '/usr/bin:/bin', TZ: 'UTC', A: 'b' });
});

test('two starts of one replica at once start one process, and a third finds it running', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const spec = nodeSpec(SERVER);
  const [first, second] = await Promise.all([runtime.start(spec, never), runtime.start(spec, never)]);
  expect(second).toEqual(first);
  expect(await runtime.start(spec, never)).toEqual(first);
  expect(await runtime.list([spec], never)).toEqual([first]);
});

test('a replica that runs with an older configuration is not started over', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const { id } = await runtime.start(nodeSpec(SERVER), never);
  const again = runtime.start(nodeSpec(SERVER, {}, { hash: 'h2' }), never);
  await expect(again).rejects.toMatchObject({ code: 'RUNTIME_FAILED' });
  expect(await runtime.inspect(id, never)).toMatchObject({ state: 'running', hash: 'h1' });
});

test('a stop resolves when the process ended, and tells its exit', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const events: RuntimeEvent[] = [];
  const watch = new AbortController();
  runtime.watch((event) => events.push(event), watch.signal);
  const script = `${SERVER} process.on('SIGTERM', () => setTimeout(() => process.exit(3), 200))`;
  const instance = await runtime.start(nodeSpec(script), never);
  await until('the replica answers', async () => (await answer(instance)) !== undefined);
  await runtime.stop(instance.id, STOP, never);
  expect(isAlive(pidOf(instance))).toBe(false);
  expect(await runtime.inspect(instance.id, never)).toMatchObject({
    state: 'stopped',
    exitCode: 3,
    address: undefined,
  });
  const of = { id: instance.id, service: 'app', ordinal: 1 };
  expect(events).toEqual([
    { type: 'started', ...of },
    { type: 'exited', ...of },
  ]);
  await runtime.stop(instance.id, STOP, never);
  watch.abort();
});

test('a process that ignores the signal is killed after the grace, not before', async () => {
  const clock = new VirtualClock();
  const runtime = bench.runtime(await bench.stateDirectory(), { clock });
  const script = `process.on('SIGTERM', () => console.log('no')); ${SERVER}`;
  const instance = await runtime.start(nodeSpec(script), never);
  await until('the replica answers', async () => (await answer(instance)) !== undefined);
  let stopped = false;
  const stop = runtime.stop(instance.id, { signal: 'SIGTERM', graceMs: 500 }, never).finally(() => {
    stopped = true;
  });
  await until('it has ignored the signal', async () => (await runtime.output(instance.id, 1, never))[0] === 'no');
  await clock.advanceAsync(499);
  expect([stopped, isAlive(pidOf(instance))]).toEqual([false, true]);
  await until('it is killed', async () => {
    await clock.advanceAsync(10);
    return stopped;
  });
  await stop;
  expect(await runtime.inspect(instance.id, never)).toMatchObject({ state: 'stopped', exitCode: 137 });
  expect(await runtime.output(instance.id, 1, never)).toEqual(['no']);
});

test('an aborted stop rejects and leaves the replica known', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const script = `process.on('SIGTERM', () => {}); ${SERVER}`;
  const instance = await runtime.start(nodeSpec(script), never);
  await until('the replica answers', async () => (await answer(instance)) !== undefined);
  await expect(runtime.stop(instance.id, STOP, AbortSignal.timeout(100))).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  expect(await runtime.list([], never)).toEqual([instance]);
});

test('a command that ends at once is started, and its exit is told', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const watch = new AbortController();
  const exits: string[] = [];
  runtime.watch((event) => event.type === 'exited' && exits.push(event.id), watch.signal);
  const instance = await runtime.start(nodeSpec('process.exit(4)'), never);
  await until('its exit is told', () => exits.includes(instance.id));
  expect(await runtime.inspect(instance.id, never)).toMatchObject({ state: 'stopped', exitCode: 4 });
  expect(await runtime.list([], never)).toEqual([]);
  watch.abort();
});

test('a restart is another process on another port', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const first = await runtime.start(nodeSpec(SERVER), never);
  await runtime.stop(first.id, STOP, never);
  const second = await runtime.start(nodeSpec(SERVER), never);
  expect(second.id).not.toBe(first.id);
  expect(second.address?.port).not.toBe(first.address?.port);
});

test('what cannot be started is said in one line', async () => {
  const folder = await bench.stateDirectory();
  const runtime = bench.runtime(folder);
  const start = (run: Parameters<typeof nodeSpec>[1]) => runtime.start(nodeSpec(SERVER, run), never);

  await expect(start({ command: ['no-such-program'] })).rejects.toMatchObject({
    code: 'COMMAND_NOT_FOUND',
    message: 'command not found: no-such-program',
  });
  const script = join(folder, 'script');
  await writeFile(script, '#!/bin/sh\n');
  await chmod(script, 0o644);
  await expect(start({ command: [script] })).rejects.toMatchObject({
    code: 'COMMAND_NOT_FOUND',
    message: `not executable: ${script}`,
  });
  await expect(start({ cwd: join(folder, 'nowhere') })).rejects.toMatchObject({
    code: 'RUNTIME_FAILED',
    message: `the working directory ${join(folder, 'nowhere')} does not exist`,
  });
  expect(await runtime.list([], never)).toEqual([]);
});

test('a state directory that cannot be used is an error of the start', async () => {
  const folder = await bench.stateDirectory();
  await writeFile(join(folder, 'processes'), 'a file is in the way');
  await expect(bench.runtime(folder).start(nodeSpec(SERVER), never)).rejects.toMatchObject({ code: 'STATE_UNUSABLE' });
  await mkdir(join(folder, 'other'));
  const other = bench.runtime(join(folder, 'other'));
  const { id } = await other.start(nodeSpec(SERVER), never);
  await other.stop(id, STOP, never);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
