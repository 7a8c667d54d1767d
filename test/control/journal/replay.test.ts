import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { replayJournal } from '../../../src/cli/replay.ts';
import type { ScaleInputs } from '../../../src/control/scale/scale-inputs.ts';
import { decideScale } from '../../../src/control/scale/scaler.ts';
import { fakeTerminal } from '../../cli/fake-terminal.ts';
import { MemoryJournal } from '../support/memory-journal.ts';
import { testGuards, testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

const decide = (inputs: object) => decideScale(inputs as ScaleInputs);

/** What a service that gets more than it can carry, then nothing, leaves in the journal. */
async function recorded(): Promise<string[]> {
  const journal = new MemoryJournal();
  const latency = { aboveMs: 500, quantile: 0.95, windowMs: 15_000 };
  const guards = { ...testGuards, warmUpMs: 1000 };
  const scale = { latency, guards, max: 4, idleMs: 20_000 };
  const world = await World.started([testService('slow', { scale })], { journal });
  Object.assign(world.runtime.behaviour, { workers: 5, serviceMs: 100 });
  await world.load('slow', 130, 60_000);
  await world.run(40_000);
  return journal.records.map((record) => JSON.stringify(record));
}

async function replay(lines: string[]) {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-replay-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'decisions.jsonl');
  await writeFile(file, `${lines.join('\n')}\n`);
  const terminal = fakeTerminal();
  return { code: await replayJournal(file, decide, {}, terminal), lines: terminal.stdout };
}

test('every scaling decision of a journal can be decided again, with the same outcome', async () => {
  const { code, lines } = await replay(await recorded());
  expect(lines.slice(0, -1)).toEqual([]);
  expect(lines.at(-1)).toMatch(/^\d+ records, [1-9]\d* decided again: all as recorded$/);
  expect(code).toBe(0);
});

test('one that another policy made is found', async () => {
  const lines = await recorded();
  const planted = lines.findIndex((line) => line.includes('"scale-up"'));
  expect(planted).toBeGreaterThan(-1);
  lines[planted] = (lines[planted] as string).replace(/"to":\d+/, '"to":9');
  const result = await replay(lines);
  expect(result.code).toBe(1);
  expect(result.lines[0]).toMatch(new RegExp(`^line ${planted + 1}, slow, `));
  expect(result.lines[1]).toMatch(/^ {2}decision {2}recorded {2}scale-up 1→9 \(latency\)$/);
});
