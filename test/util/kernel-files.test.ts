import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { processStat, readKernelFile } from '../../src/util/kernel-files.ts';
import { until } from '../support/until.ts';

test('a file that is not there is nothing', () => {
  expect(readKernelFile('/proc/no/such/file')).toBeUndefined();
});

test('a process is known by its group and its start, and as dead while nobody reaps it', async () => {
  const own = processStat(process.pid);
  expect(own).toMatchObject({ isDead: false, group: expect.any(Number), start: expect.stringMatching(/^\d+$/) });
  // The shell becomes a program that does not wait for its child.
  const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'], { stdio: ['ignore', 'pipe', 'ignore'] });
  onTestFinished(() => void parent.kill('SIGKILL'));
  const [line] = await once(parent.stdout, 'data');
  const child = Number(String(line).trim());
  await until('it has ended', () => processStat(child)?.isDead === true);
});

test('a number that no process has is none', () => {
  expect(processStat(2 ** 22 + 1)).toBeUndefined();
});
