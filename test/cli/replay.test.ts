import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import type { DecideAgain } from '../../src/cli/replay.ts';
import type { JournalRecord } from '../../src/model/journal.ts';
import { fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

const AT = '2026-11-29T12:00:00.000Z';

/** Doubles what is ready; one guard. */
const decide: DecideAgain = ({ ready = 0 }) => ({
  action: 'scale-up',
  kind: 'latency',
  from: ready,
  to: 2 * ready,
  reason: `${ready} are slow`,
  verdicts: [{ guard: 'budget', verdict: 'pass', detail: `max ${2 * ready}` }],
});

type Changed = Partial<Extract<JournalRecord, { record: 'decision' }>>;

/** As `decide` decides it, but for what is changed. */
function recorded(ready: number, changes: Changed = {}): object {
  const base = {
    v: 1,
    record: 'decision',
    id: `a-${ready}`,
    at: AT,
    service: 'shop',
    inputs: { ready },
    dryRun: false,
  };
  return { ...base, ...decide({ ready }), ...changes };
}

async function replay(...lines: (object | string)[]) {
  return replayWith([], ...lines);
}

async function replayWith(options: string[], ...lines: (object | string)[]) {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-replay-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const texts = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
  await writeFile(join(folder, 'decisions.jsonl'), texts.join('\n'));
  const terminal = fakeTerminal({ cwd: folder });
  const code = await runCli(['replay', 'decisions.jsonl', ...options], { ...noProgram, decide }, terminal);
  return { code, lines: terminal.stdout };
}

test('decisions that come out as they were recorded are only counted', async () => {
  const outcome = { v: 1, record: 'outcome', of: 'a-1', at: AT, service: 'shop', text: 'helped' };
  const wake = recorded(3, { kind: null, action: 'wake', reason: '1 request waits' });
  expect(await replay(recorded(1), recorded(2), outcome, wake)).toEqual({
    code: 0,
    lines: ['4 records, 2 decided again: all as recorded'],
  });
});

test('one that comes out otherwise is told with what was recorded and what is now', async () => {
  const verdicts = [
    { guard: 'budget', verdict: 'limit' as const, detail: 'max 3' },
    { guard: 'step', verdict: 'pass' as const, detail: 'no change before' },
  ];
  expect(await replay(recorded(1), recorded(2, { to: 3, verdicts }), recorded(4))).toEqual({
    code: 1,
    lines: [
      `line 2, shop, ${AT}:`,
      '  decision  recorded  scale-up 2→3 (latency)',
      '            now       scale-up 2→4 (latency)',
      '  budget    recorded  limit: max 3',
      '            now       pass: max 4',
      '  step      recorded  pass: no change before',
      '            now       not asked',
      '3 records, 3 decided again: 1 otherwise',
    ],
  });
});

test('a refusal that would be a change now is a difference', async () => {
  const { code, lines } = await replay(recorded(2, { record: 'refusal', action: 'none', to: 2 } as object));
  expect(code).toBe(1);
  expect(lines[1]).toBe('  decision  recorded  none 2→2 (latency)');
});

test('lines that cannot be read, and records of another format, are named', async () => {
  const { code, lines } = await replay(recorded(1), '{"v":1,"rec', '', { v: 0, what: 'else' }, '{"v":1}');
  expect(lines).toEqual([
    'line 2 is skipped: no JSON',
    'line 4 is skipped: format 0, this program reads 1',
    'line 5 is skipped: unknown record undefined',
    '1 record, 1 decided again: all as recorded; 2 unreadable; 1 of another format',
  ]);
  expect(code).toBe(0);
});

test('a decision that fails on the inputs is a difference and stops nothing', async () => {
  const terminal = fakeTerminal();
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-replay-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'journal');
  await writeFile(file, `${JSON.stringify(recorded(1))}\n${JSON.stringify(recorded(2))}\n`);
  expect(await runCli(['replay', file], noProgram, terminal)).toBe(1);
  expect(terminal.stdout.filter((line) => line === '  cannot be decided again: not to be asked')).toHaveLength(2);
});

test('a file that is not there, or has no record, exits 1', async () => {
  const terminal = fakeTerminal();
  expect(await runCli(['replay', '/nonexistent/file'], noProgram, terminal)).toBe(1);
  expect(terminal.stderr).toEqual(['pilotlight: the journal cannot be read (ENOENT: /nonexistent/file)']);
  expect(await replay('not a journal')).toMatchObject({ code: 1 });
});

test('as JSON it is one object, with the differences by line', async () => {
  const { code, lines } = await replayWith(['--json'], recorded(1), recorded(2, { to: 3 }), '{"v":1,"rec');
  expect(code).toBe(1);
  expect(JSON.parse(lines.join('\n'))).toEqual({
    ...{ records: 2, again: 2, differ: 1, unreadable: 1, other: 0 },
    remarks: [
      {
        ...{ line: 2, service: 'shop', at: AT },
        differences: [{ what: 'decision', recorded: 'scale-up 2→3 (latency)', now: 'scale-up 2→4 (latency)' }],
      },
      { line: 3, skipped: 'no JSON' },
    ],
  });
});
