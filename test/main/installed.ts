import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { ServiceStatus } from '../../src/model/status.ts';
import { holderOf } from '../../src/util/state-directory.ts';
import { run } from '../support/command.ts';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { freePort } from '../support/free-port.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import { until } from '../support/until.ts';

/** Ends by itself, should the test break off: its program is told to leave it running. */
const APP = `
  setTimeout(() => process.exit(), 300_000);
  require('node:http').createServer((_, out) => out.end(String(process.pid))).listen(process.env.PORT, '127.0.0.1');`;

/**
 * Runs an installed program with a configuration in a folder of its own: a request wakes the service, a command scales
 * it, another one has a new process take the place of the first; that ends, and the next one goes on with the replicas
 * that run.
 * @param command the program and what stands before its own arguments
 */
export async function expectItWakesScalesUpgradesAndAdopts(command: readonly string[], folder: string): Promise<void> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const hello = {
    routes: [{ path: '/' }],
    run: { process: { command: [process.execPath, '-e', APP], env: { PORT: '{port}' } } },
    scale: { max: 3, idle: '10m' },
    onExit: 'keep',
  };
  const config = {
    listen: [{ address: `127.0.0.1:${port}` }],
    admin: { address: `127.0.0.1:${adminPort}` },
    state: join(folder, 'state'),
    services: { hello },
  };
  await writeFile(join(folder, 'pilotlight.yaml'), JSON.stringify(config));

  const [program = '', ...leading] = command;
  const say = (...args: string[]) => run(program, [...leading, ...args], { cwd: folder, env: COMPILE_CACHE });
  const begin = async () => {
    const env = { ...process.env, ...COMPILE_CACHE };
    const child = spawn(program, [...leading, 'run'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (text) => {
      said += text;
    });
    await until('it serves', async () => {
      if (child.exitCode !== null) throw new Error(said);
      return (await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => undefined))?.status === 200;
    });
    return { child, exit: once(child, 'exit') };
  };
  const ready = async () => {
    const { replicas } = (await (
      await fetch(`http://127.0.0.1:${adminPort}/v1/services/hello`)
    ).json()) as ServiceStatus;
    return replicas.flatMap(({ id, state, startedAt }) => (state === 'ready' ? { id, startedAt } : []));
  };
  const get = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    return { isCold: answer.headers.has('x-cold-start'), pid: Number(await answer.text()) };
  };

  const first = await begin();
  expect(await say('status')).toMatch(/^hello +asleep +0 /m);
  const woken = await get();
  expect(woken.isCold).toBe(true);
  await say('scale', 'hello', '2');
  await until('two replicas are ready', async () => (await ready()).length === 2);
  const before = await ready();

  const upgraded = JSON.parse(await say('upgrade', '--json')) as { before: number; process: number };
  onTestFinished(() => killIfAlive(upgraded.process, 'SIGKILL'));
  expect(upgraded.before).toBe(first.child.pid);
  expect(await first.exit).toEqual([0, null]);
  expect(await ready()).toEqual(before);
  expect((await get()).isCold).toBe(false);
  killIfAlive(upgraded.process, 'SIGTERM');
  await until('the new process has ended', async () => (await holderOf(config.state)) === undefined);

  const last = await begin();
  await until('both are found again', async () => (await ready()).length === 2);
  expect(await ready()).toEqual(before);
  const seen = new Set<number>();
  for (let asked = 0; asked < 20; asked++) {
    const { isCold, pid } = await get();
    expect(isCold).toBe(false);
    seen.add(pid);
  }
  expect(seen).toContain(woken.pid);
  await say('sleep', 'hello');
  await until('it sleeps', async () => (await ready()).length === 0);
  last.child.kill('SIGTERM');
  expect(await last.exit).toEqual([0, null]);
}
