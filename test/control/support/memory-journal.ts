import type { Journal, JournalRecord } from '../../../src/model/journal.ts';

/** Keeps every record in memory, in the order of their coming. */
export class MemoryJournal implements Journal {
  readonly records: JournalRecord[] = [];

  append(record: JournalRecord): void {
    this.records.push(record);
  }

  takeEarlier(): readonly [] {
    return [];
  }
}
