import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openJournal } from '../../../src/control/journal/disk-journal.ts';
import type { JournalRecord } from '../../../src/model/journal.ts';
import type { Logger } from '../../../src/model/observe.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { testService } from '../support/settings.ts';
import { World } from '../support/world.ts';

let directory: string;
let said: string[];

const logger: Logger = {
  debug() {},
  info: (_, line) => said.push(line),
  warn: (_, line) => said.push(line),
  error: (_, line) => said.push(line),
};

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pilotlight-journal-'));
  said = [];
});
afterEach(() => rm(directory, { recursive: true }));

const open = () => openJournal(directory, systemClock, logger);
const current = () => join(directory, 'decisions.jsonl');

function decision(id: string, service = 'shop', reason = 'why'): JournalRecord {
  const at = new Date(0).toISOString();
  const base = { id, at, service, kind: 'latency', from: 1, to: 2, reason, inputs: { ready: 1 }, verdicts: [] };
  return { v: 1, record: 'decision', action: 'scale-up', dryRun: false, ...base };
}

test('what was decided is there after a restart, with what came of it', async () => {
  const before = await open();
  before.append(decision('a'));
  before.append({ v: 1, record: 'outcome', service: 'shop', of: 'a', at: new Date(1).toISOString(), text: 'helped' });
  await before.release();
  const after = await open();
  expect(after.takeEarlier('shop')).toMatchObject([{ id: 'a', outcome: { text: 'helped' } }]);
  expect(after.takeEarlier('shop')).toEqual([]);
  expect(after.takeEarlier('other')).toEqual([]);
  expect(said).toEqual([]);
});

test('a torn last line is skipped and counted, and nothing is lost behind it', async () => {
  const first = await open();
  first.append(decision('a'));
  await first.release();
  await appendFile(current(), JSON.stringify(decision('torn')).slice(0, 40));
  const second = await open();
  second.append(decision('b'));
  await second.release();
  const third = await open();
  expect(third.takeEarlier('shop').map(({ id }) => id)).toEqual(['a', 'b']);
  expect(said.at(-1)).toBe('lines of the journal that are skipped: 1');
});

test('lines that are no records are skipped and counted', async () => {
  const wrong = ['nonsense', '[]', '{"v":2,"record":"decision"}', '{"v":1,"record":"decision","id":"x"}'];
  await writeFile(current(), `${[...wrong, JSON.stringify(decision('a'))].join('\n')}\n`);
  expect((await open()).takeEarlier('shop')).toHaveLength(1);
  expect(said).toEqual(['lines of the journal that are skipped: 4']);
});

test('of each service the last hundred are remembered, from both files', async () => {
  const line = (index: number) => `${JSON.stringify(decision(`${index}`))}\n`;
  await writeFile(join(directory, 'decisions.1.jsonl'), Array.from({ length: 80 }, (_, index) => line(index)).join(''));
  await writeFile(current(), `${Array.from({ length: 80 }, (_, index) => line(80 + index)).join('')}`);
  const kept = (await open()).takeEarlier('shop');
  expect(kept.map(({ id }) => id)).toEqual(Array.from({ length: 100 }, (_, index) => `${60 + index}`));
});

test('it takes two files of 4 MiB and no more', async () => {
  const journal = await open();
  for (let round = 0; round < 12; round++) {
    for (let index = 0; index < 100; index++) journal.append(decision(`${round}-${index}`, 'shop', 'x'.repeat(9000)));
    await journal.release();
    journal.resume();
  }
  await journal.release();
  expect((await readdir(directory)).sort()).toEqual(['decisions.1.jsonl', 'decisions.jsonl']);
  for (const file of await readdir(directory)) {
    expect((await stat(join(directory, file))).size).toBeLessThanOrEqual(4 * 1024 * 1024);
  }
  expect((await open()).takeEarlier('shop').at(-1)?.id).toBe('11-99');
}, 20_000);

test('a journal that cannot be read or written fails nobody', async () => {
  const file = join(directory, 'a-file');
  await writeFile(file, '');
  const journal = await openJournal(join(file, 'below'), systemClock, logger);
  journal.append(decision('a'));
  await journal.release();
  expect(journal.takeEarlier('shop')).toEqual([]);
  expect(said.filter((line) => line.includes('cannot be written'))).toHaveLength(1);
});

test('a control plane remembers what the one before decided', async () => {
  const services = [testService('hello', { scale: { idleMs: 5000 } })];
  const before = await open();
  const first = await World.started(services, { journal: before });
  first.edge.request('hello');
  await first.run(20_000);
  const decided = await first.control.why('hello');
  expect(decided.decisions.map(({ action }) => action)).toEqual(['wake', 'sleep']);
  first.life.abort();
  await before.release();
  const second = await World.started(services, { journal: await open() });
  // How long it is kept is not of the journal.
  expect(await second.control.why('hello')).toEqual({ ...decided, idle: expect.anything() });
  expect((await second.status('hello')).lastDecision).toEqual(decided.decisions[1]);
  expect((await readFile(current(), 'utf8')).split('\n')).toHaveLength(3);
});
