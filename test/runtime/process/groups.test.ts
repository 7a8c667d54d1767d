import { expect, test } from 'vitest';
import { groupLives } from '../../../src/runtime/process/table.ts';
import { until } from '../../support/until.ts';
import { never, nodeSpec, pidOf, processBench, STOP } from './processes.ts';

const bench = processBench();

/** Starts a child that outlives SIGTERM, says so when it runs, and goes on as `then` says. */
function withChild(child: string, then: string): string {
  return `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ['-e', ${JSON.stringify(child)}], { stdio: ['ignore', 'pipe', 'inherit'] });
    child.stdout.once('data', () => { console.log('child ' + child.pid); ${then} });
  `;
}

const STUBBORN = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); console.log('up')";

test('a stop also ends the children of a leader that is gone already', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const instance = await runtime.start(nodeSpec(withChild(STUBBORN, 'setInterval(() => {}, 1000)')), never);
  await until('the child runs', async () => (await runtime.output(instance.id, 1, never)).length > 0);
  const before = performance.now();
  await runtime.stop(instance.id, { signal: 'SIGTERM', graceMs: 400 }, never);
  expect(groupLives(pidOf(instance))).toBe(false);
  expect(performance.now() - before).toBeGreaterThanOrEqual(400);
});

test('a child that needs its time gets the grace, though the leader ended at once', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const polite = `
    process.on('SIGTERM', () => setTimeout(() => { console.error('tidied up'); process.exit() }, 300));
    setInterval(() => {}, 1000);
    console.log('up');
  `;
  const instance = await runtime.start(nodeSpec(withChild(polite, 'setInterval(() => {}, 1000)')), never);
  await until('the child runs', async () => (await runtime.output(instance.id, 1, never)).length > 0);
  await runtime.stop(instance.id, STOP, never);
  expect(await runtime.output(instance.id, 1, never)).toEqual(['tidied up']);
});

test('when the leader ends by itself, what it left behind is ended too', async () => {
  const runtime = bench.runtime(await bench.stateDirectory());
  const instance = await runtime.start(nodeSpec(withChild(STUBBORN, 'process.exit(1)')), never);
  await until('the leader ended', async () => (await runtime.inspect(instance.id, never))?.state === 'stopped');
  await until('its group is gone', () => !groupLives(pidOf(instance)));
});
