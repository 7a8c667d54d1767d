import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { holderOf } from '../../src/util/state-directory.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import { until } from '../support/until.ts';
import { demoService, logOf, type Place, pilotlight, place, serve } from './program.ts';

const SOON = { scale: { guards: { warmUp: '0s', warmUpRequests: 0, autoSamples: 5 } } };
const fileOf = (at: Place) => join(at.folder, 'state', 'learnt', 'hello.json');

async function thresholdOf(at: Place): Promise<{ source: string; lowLoadMs: number | null }> {
  const response = await fetch(`${at.admin}/v1/services/hello`);
  return ((await response.json()) as { threshold: { source: string; lowLoadMs: number | null } }).threshold;
}

/** A proxy that knows what `hello` takes at low load, none of which is on disk yet. */
async function learnt(ends: boolean) {
  const at = await place();
  await at.write({ services: { hello: demoService('hello', SOON, ends) } });
  const program = await serve(at);
  await until('learnt', async () => {
    expect((await fetch(`${at.url}/hello`)).status).toBe(200);
    return (await thresholdOf(at)).source === 'learnt';
  });
  return { at, program, threshold: await thresholdOf(at) };
}

test('what was learnt before a restart is known after it, and a file that cannot be read is said in one line', async () => {
  const { at, program, threshold } = await learnt(true);
  program.child.kill('SIGTERM');
  await program.exit;
  const again = await serve(at);
  expect(await thresholdOf(at)).toEqual(threshold);
  again.child.kill('SIGTERM');
  await again.exit;
  await writeFile(fileOf(at), (await readFile(fileOf(at), 'utf8')).slice(0, 40));
  const last = await serve(at);
  expect(await thresholdOf(at)).toMatchObject({ source: 'first', lowLoadMs: null });
  expect(logOf(last).filter(({ level }) => level === 'warn')).toEqual([
    expect.objectContaining({ msg: 'what was learnt of hello before is not used: it is no JSON' }),
  ]);
});

test('the successor of an upgrade knows what its predecessor had learnt up to its end', async () => {
  const { at, program, threshold } = await learnt(false);
  onTestFinished(async () => {
    await fetch(`${at.admin}/v1/services/hello/sleep`, { method: 'POST' });
    await until('asleep', async () => {
      const response = await fetch(`${at.admin}/v1/services/hello`);
      return ((await response.json()) as { state: string }).state === 'asleep';
    });
    const pid = await holderOf(join(at.folder, 'state'));
    if (pid !== undefined) killIfAlive(pid, 'SIGTERM');
    await until('ended', async () => (await holderOf(join(at.folder, 'state'))) === undefined);
  });
  expect(await pilotlight(['upgrade', '-c', at.file]).exit).toBe(0);
  await until('the old process is seen to end', () => program.child.exitCode === 0);
  expect(await thresholdOf(at)).toEqual(threshold);
});
