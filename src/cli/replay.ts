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

/** What was recorded, and what it would be now. */
interface Difference {
  what: string;
  recorded: string;
  now: string;
}

/** Something about a line of the journal: it cannot be read, or is decided otherwise now. */
type Remark =
  | { line: number; skipped: string }
  | { line: number; service: string; at: string; error: string }
  | { line: number; service: string; at: string; differences: Difference[] };

interface Counts {
  records: number;
  again: number;
  differ: number;
  unreadable: number;
  other: number;
}

/**
 * `replay FILE`: decides every scaling decision of a journal again, from its inputs, and reports what comes out
 * otherwise than it was recorded.
 * @returns 0 where all are as they were; 1 where any differs, or the file has no record
 */
export async function replayJournal(
  file: string,
  decide: DecideAgain,
  { json }: { json?: true },
  { out, err, cwd }: Pick<Terminal, 'out' | 'err' | 'cwd'>,
): Promise<number> {
  let text: string;
  try {
    text = await readFile(resolve(cwd, file), 'utf8');
  } catch (error) {
    err(`pilotlight: the journal cannot be read (${fileFault(error)})`);
    return 1;
  }
  const { counts, remarks } = replayed(text, decide);
  if (json === true) out(JSON.stringify({ ...counts, remarks }, null, 2));
  else for (const line of [...remarks.flatMap(remarkLines), summary(counts)]) out(printable(line, LONGEST_LINE));
  return counts.differ > 0 || counts.records === 0 ? 1 : 0;
}

function replayed(text: string, decide: DecideAgain): { counts: Counts; remarks: Remark[] } {
  const counts = { records: 0, again: 0, differ: 0, unreadable: 0, other: 0 };
  const remarks: Remark[] = [];
  for (const [index, written] of text.split('\n').entries()) {
    if (written === '') continue;
    const line = index + 1;
    const record = readRecord(written);
    if ('unreadable' in record) {
      counts[record.isOther ? 'other' : 'unreadable']++;
      remarks.push({ line, skipped: record.unreadable });
      continue;
    }
    counts.records++;
    if (!isScaling(record)) continue;
    counts.again++;
    const differing = differingOf(record, decide);
    if (differing === undefined) continue;
    counts.differ++;
    remarks.push({ line, service: record.service, at: record.at, ...differing });
  }
  return { counts, remarks };
}

type Scaling = Extract<JournalRecord, { record: 'decision' | 'refusal' }>;

/** What other parts than the scaler decided does not follow from its inputs alone. */
function isScaling(record: JournalRecord): record is Scaling {
  return (record.record === 'decision' || record.record === 'refusal') && record.kind !== null;
}

/** What a decision is otherwise now; undefined: nothing. */
function differingOf(
  recorded: Scaling,
  decide: DecideAgain,
): { error: string } | { differences: Difference[] } | undefined {
  let now: Decided;
  try {
    now = decide(recorded.inputs);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
  const all: Difference[] = [
    { what: 'decision', recorded: changeOf(recorded), now: changeOf(now) },
    { what: 'reason', recorded: recorded.reason, now: now.reason },
    ...guardsOf(recorded, now).map((guard): Difference => {
      return { what: guard, recorded: verdictOf(recorded, guard), now: verdictOf(now, guard) };
    }),
  ];
  const differences = all.filter((each) => each.recorded !== each.now);
  return differences.length === 0 ? undefined : { differences };
}

/** A remark for people, the differences with two lines each. */
function remarkLines(remark: Remark): string[] {
  if ('skipped' in remark) return [`line ${remark.line} is skipped: ${remark.skipped}`];
  const title = `line ${remark.line}, ${remark.service}, ${remark.at}:`;
  if ('error' in remark) return [title, `  cannot be decided again: ${remark.error}`];
  const width = Math.max(0, ...remark.differences.map(({ what }) => what.length));
  const lines = remark.differences.flatMap(({ what, recorded, now }) => [
    `  ${what.padEnd(width)}  recorded  ${recorded}`,
    `  ${''.padEnd(width)}  now       ${now}`,
  ]);
  return [title, ...lines];
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

function summary({ records, again, differ, unreadable, other }: Counts): string {
  const result = differ === 0 ? 'all as recorded' : `${differ} otherwise`;
  const parts = [`${counted(records, 'record')}, ${again} decided again${again === 0 ? '' : `: ${result}`}`];
  if (unreadable !== 0) parts.push(`${unreadable} unreadable`);
  if (other !== 0) parts.push(`${other} of another format`);
  return parts.join('; ');
}
