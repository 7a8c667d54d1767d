import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { GuardVerdict } from '../model/decision.ts';
import { type JournalRecord, readRecord } from '../model/journal.ts';
import { fileFault } from '../util/file-errors.ts';
import { counted } from '../util/format.ts';
import { printable } from '../util/printable.ts';
import type { Terminal } from './terminal.ts';

/** What the scaler decides, or decided, on some inputs. */
interface Decided {
  action: string;
  kind?: string | null | undefined;
  from: number;
  to: number;
  reason: string;
  verdicts: readonly GuardVerdict[];
}

/** Decides on inputs as the program does at present. */
export type DecideAgain = (inputs: Record<string, number>) => Decided;

const LONGEST_LINE = 1000;

/**
 * `replay FILE`: decides every scaling decision of a journal again, from its inputs, and reports what comes out
 * otherwise than it was recorded.
 * @returns 0 where all are as they were; 1 where any differs, or the file has no record
 */
export async function replayJournal(
  file: string,
  decide: DecideAgain,
  { out: print, err, cwd }: Pick<Terminal, 'out' | 'err' | 'cwd'>,
): Promise<number> {
  let text: string;
  try {
    text = await readFile(resolve(cwd, file), 'utf8');
  } catch (error) {
    err(`pilotlight: the journal cannot be read (${fileFault(error)})`);
    return 1;
  }
  const out = (line: string) => print(printable(line, LONGEST_LINE));
  const counts = { records: 0, again: 0, differ: 0, unreadable: 0, other: 0 };
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') continue;
    const record = readRecord(line);
    if ('unreadable' in record) {
      counts[record.isOther ? 'other' : 'unreadable']++;
      out(`line ${index + 1} is skipped: ${record.unreadable}`);
      continue;
    }
    counts.records++;
    if (!isScaling(record)) continue;
    counts.again++;
    const differences = differencesOf(record, decide);
    if (differences.length === 0) continue;
    counts.differ++;
    out(`line ${index + 1}, ${record.service}, ${record.at}:`);
    for (const difference of differences) out(`  ${difference}`);
  }
  out(summary(counts));
  return counts.differ > 0 || counts.records === 0 ? 1 : 0;
}

type Scaling = Extract<JournalRecord, { record: 'decision' | 'refusal' }>;

/** What other parts than the scaler decided does not follow from its inputs alone. */
function isScaling(record: JournalRecord): record is Scaling {
  return (record.record === 'decision' || record.record === 'refusal') && record.kind !== null;
}

/** A line each, recorded and now. */
function differencesOf(recorded: Scaling, decide: DecideAgain): string[] {
  let now: Decided;
  try {
    now = decide(recorded.inputs);
  } catch (error) {
    return [`cannot be decided again: ${error instanceof Error ? error.message : String(error)}`];
  }
  const pairs: [string, string, string][] = [
    ['decision', changeOf(recorded), changeOf(now)],
    ['reason', recorded.reason, now.reason],
    ...guardsOf(recorded, now).map((guard): [string, string, string] => {
      return [guard, verdictOf(recorded, guard), verdictOf(now, guard)];
    }),
  ];
  const different = pairs.filter(([, before, after]) => before !== after);
  const width = Math.max(0, ...different.map(([what]) => what.length));
  return different.flatMap(([what, before, after]) => [
    `${what.padEnd(width)}  recorded  ${before}`,
    `${''.padEnd(width)}  now       ${after}`,
  ]);
}

function changeOf({ action, kind, from, to }: Decided): string {
  return `${action} ${from}→${to} (${kind ?? 'nothing asks for it'})`;
}

/** Those of both, in their order. */
function guardsOf(...decisions: Decided[]): string[] {
  return [...new Set(decisions.flatMap(({ verdicts }) => verdicts.map(({ guard }) => guard)))];
}

function verdictOf({ verdicts }: Decided, name: string): string {
  const of = verdicts.filter(({ guard }) => guard === name);
  return of.length === 0 ? 'not asked' : of.map(({ verdict, detail }) => `${verdict}: ${detail}`).join('; ');
}

function summary({ records = 0, again, differ, unreadable, other }: Record<string, number>): string {
  const result = differ === 0 ? 'all as recorded' : `${differ} otherwise`;
  const parts = [`${counted(records, 'record')}, ${again} decided again${again === 0 ? '' : `: ${result}`}`];
  if (unreadable !== 0) parts.push(`${unreadable} unreadable`);
  if (other !== 0) parts.push(`${other} of another format`);
  return parts.join('; ');
}
