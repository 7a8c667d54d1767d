import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { holderOf } from '../../src/util/state-directory.ts';
import { killIfAlive } from '../support/marked-processes.ts';
import { until } from '../support/until.ts';
import { demoService, type Place, pilotlight, place, serve } from './program.ts';

const journalOf = (at: Place) => join(at.folder, 'state', 'journal', 'decisions.jsonl');

/** A proxy whose `hello` was woken, with that in its journal. @param ends `hello` ends with the process that started it */
async function woken(ends: boolean) {
  const at = await place();
  await at.write({ services: { hello: demoService('hello', {}, ends) } });
  const program = await serve(at);
  expect((await fetch(`${at.url}/hello`)).status).toBe(200);
  await until('written', async () => (await readFile(journalOf(at), 'utf8').catch(() => '')).includes('"wake"'));
  return { at, program };
}

async function command(...args: string[]): Promise<{ code: number | null; stdout: string }> {
  const program = pilotlight(args);
  return { code: await program.exit, stdout: program.stdout };
}

test('a proxy that was killed knows why its services are as they are when it is back', async () => {
  const { at, program } = await woken(true);
  program.child.kill('SIGKILL');
  await program.exit;
  await serve(at);
  const { code, stdout } = await command('why', 'hello', '--admin', at.admin);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^\d{4}-\d\d-\d\d\n\d\d:\d\d:\d\d {2}wake 0→1: 1 request waits\n {10}with ready 0, wanted 1/);
  const lines = (await command('why', 'hello', '--since', '0s', '--admin', at.admin)).stdout.split('\n');
  expect(lines.slice(0, 2)).toEqual([
    'nothing was decided about hello',
    'slow is p95 over 1s (auto: known after 100 more requests at low load)',
  ]);
  expect(lines[2]).toMatch(/^idle: kept for [^(]+ \(auto, weight 150: 0 gaps known, /);
  expect((await command('why', 'nobody', '--admin', at.admin)).code).toBe(1);
});

test('the successor of an upgrade goes on with the journal', async () => {
  const { at, program } = await woken(false);
  onTestFinished(async () => {
    const pid = await holderOf(join(at.folder, 'state'));
    if (pid !== undefined) killIfAlive(pid, 'SIGTERM');
    await until('ended', async () => (await holderOf(join(at.folder, 'state'))) === undefined);
  });
  expect((await command('upgrade', '-c', at.file)).code).toBe(0);
  await until('the old process is seen to end', () => program.child.exitCode === 0);
  expect((await command('sleep', 'hello', '--admin', at.admin)).code).toBe(0);
  await until('written', async () => (await readFile(journalOf(at), 'utf8')).includes('"sleep"'));
  const { stdout } = await command('why', 'hello', '--json', '--admin', at.admin);
  const actions = JSON.parse(stdout).decisions.map(({ action }: { action: string }) => action);
  expect(actions).toEqual(['wake', 'adopt', 'sleep']);
  expect(await command('replay', journalOf(at))).toEqual({ code: 0, stdout: '3 records, 0 decided again\n' });
});
