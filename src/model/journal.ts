import type { Decision, DecisionEntry, DecisionOutcome, Refusal, RefusalEnd } from './decision.ts';

/** What the records of today look like; another number is read by nobody but whoever wrote it. */
export const JOURNAL_FORMAT = 1;

/** One line of the journal. */
export type JournalRecord = { v: typeof JOURNAL_FORMAT } & (
  | ({ record: 'decision' } & Omit<Decision, 'outcome'>)
  /** What came of the decision with the id `of`. */
  | ({ record: 'outcome'; service: string; of: string } & DecisionOutcome)
  | ({ record: 'refusal' } & Omit<Refusal, 'ended'>)
  /** The refusal with the id `of` is over. */
  | ({ record: 'refusal-end'; service: string; of: string } & RefusalEnd)
);

/** Where decisions are kept beyond the life of the process. */
export interface Journal {
  /** Takes a record to be kept. Never throws, and waits for nothing. */
  append(record: JournalRecord): void;
  /**
   * What was kept of a service before this process, oldest first. Told once: whoever asks keeps it from then on.
   */
  takeEarlier(service: string): readonly DecisionEntry[];
}

/** Keeps nothing. */
export const noJournal: Journal = { append() {}, takeEarlier: () => [] };

/** Why a line is no record of ours. `isOther`: it is one of another format. */
interface Unreadable {
  unreadable: string;
  isOther: boolean;
}

/** Reads a line of the journal. */
export function readRecord(line: string): JournalRecord | Unreadable {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return unreadable('no JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unreadable('no object');
  const fields = value as Record<string, unknown>;
  if (typeof fields['v'] !== 'number') return unreadable('no format version');
  if (fields['v'] !== JOURNAL_FORMAT) {
    return { unreadable: `format ${fields['v']}, this program reads ${JOURNAL_FORMAT}`, isOther: true };
  }
  const shape = SHAPES[String(fields['record'])];
  if (shape === undefined) return unreadable(`unknown record ${JSON.stringify(fields['record'])?.slice(0, 40)}`);
  const wrong = Object.entries(shape).find(([name, is]) => !is(fields[name]));
  return wrong === undefined ? (value as JournalRecord) : unreadable(`no valid "${wrong[0]}"`);
}

function unreadable(why: string): Unreadable {
  return { unreadable: why, isOther: false };
}

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number';
const flag: Check = (value) => typeof value === 'boolean';
const time: Check = (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value));
const numbers: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(number);
const verdict: Check = (value) => {
  const { guard, verdict: said, detail } = (value ?? {}) as Record<string, unknown>;
  return text(guard) && ['pass', 'limit', 'block'].includes(said as string) && text(detail);
};

const decided = {
  id: text,
  at: time,
  service: text,
  kind: (value: unknown) => value === null || text(value),
  from: number,
  to: number,
  reason: text,
  inputs: numbers,
  verdicts: (value: unknown) => Array.isArray(value) && value.every(verdict),
  dryRun: flag,
};
const ofEarlier = { service: text, of: text, at: time };

/** What each record has at least. */
const SHAPES: Partial<Record<string, Record<string, Check>>> = {
  decision: { ...decided, action: (value) => text(value) && value !== 'none' },
  outcome: { ...ofEarlier, text },
  refusal: { ...decided, action: (value) => value === 'none' },
  'refusal-end': { ...ofEarlier, lastedMs: number, ticks: (value) => value === null || number(value) },
};
