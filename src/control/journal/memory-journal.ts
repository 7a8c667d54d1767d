import type { Journal, JournalRecord } from '../../model/journal.ts';

/** Keeps every record in memory, in the order of their coming: for tests and for virtual time. */
export class MemoryJournal implements Journal {
  readonly records: JournalRecord[] = [];

  append(record: JournalRecord): void {
    this.records.push(record);
  }

  takeEarlier(): readonly [] {
    return [];
  }
}
