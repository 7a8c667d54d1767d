import { spawn } from 'node:child_process';
import { afterEach, expect, test } from 'vitest';
import { groupUsage } from '../../../src/runtime/process/usage.ts';

const groups: number[] = [];
afterEach(() => {
  for (const group of groups.splice(0)) process.kill(-group, 'SIGKILL');
});

test('a group takes what all of its processes take together', async () => {
  // Both hold 64 MiB that are written to, and say so.
  const hold = 'const held = Buffer.alloc(2 ** 26, 1); for (let i = 0; i < 1e8; i++) held[i % 9] = i;';
  const program = `require('node:child_process').spawn(process.execPath, ['-e', process.argv[1]], { stdio: 'inherit' });`;
  const stay = `${hold} console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(
    process.execPath,
    ['-e', `${program} ${hold} console.log('held'); setInterval(() => {}, 1000);`, stay],
    {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  groups.push(child.pid as number);
  let said = '';
  for await (const piece of child.stdout.setEncoding('utf8')) {
    said += piece;
    if (said.split('held').length > 2) break;
  }
  const usage = groupUsage(child.pid as number);
  expect(usage?.memoryMiB).toBeGreaterThan(2 * 64);
  expect(usage?.memoryMiB).toBeLessThan(2000);
  expect(usage?.cpuSeconds).toBeGreaterThan(0.02);
}, 120_000);

test('of a group that is gone nothing is taken', () => {
  expect(groupUsage(2 ** 22 - 1)).toEqual({ memoryMiB: 0, cpuSeconds: 0 });
});
