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
