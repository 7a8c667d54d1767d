import type { Decision, DecisionEntry, Refusal } from '../../model/decision.ts';
import { type JournalRecord, readRecord } from '../../model/journal.ts';
import { KEPT } from './kept-decisions.ts';

/** By id, in the order of their coming. */
interface OfService {
  changes: Map<string, Decision>;
  refusals: Map<string, Refusal>;
}

/** Puts the decisions of an earlier process together again, from its journal: the last of each service. */
export class EarlierDecisions {
  /** Lines that are no records of this format: torn, or another program's. */
  unreadable = 0;
  readonly #services = new Map<string, OfService>();

  /** Takes the next line. */
  add(line: string): void {
    if (line === '') return;
    const record = readRecord(line);
    if ('unreadable' in record) this.unreadable++;
    else this.#add(record);
  }

  /** The decisions of a service, oldest first, and forgets them. */
  take(service: string): DecisionEntry[] {
    const found = this.#services.get(service);
    this.#services.delete(service);
    return found === undefined ? [] : [...found.changes.values(), ...found.refusals.values()];
  }

  #add(record: JournalRecord): void {
    const { service } = record;
    const of = this.#services.get(service) ?? { changes: new Map(), refusals: new Map() };
    this.#services.set(service, of);
    switch (record.record) {
      case 'decision': {
        const { v: _, record: __, ...decision } = record;
        put(of.changes, { ...decision, outcome: null });
        break;
      }
      case 'refusal': {
        const { v: _, record: __, ...refusal } = record;
        put(of.refusals, { ...refusal, ended: null });
        break;
      }
      case 'outcome': {
        const decision = of.changes.get(record.of);
        if (decision !== undefined) decision.outcome = { at: record.at, text: record.text };
        break;
      }
      case 'refusal-end': {
        const refusal = of.refusals.get(record.of);
        const { at, lastedMs, ticks } = record;
        if (refusal !== undefined) refusal.ended = { at, lastedMs, ticks };
        break;
      }
    }
  }
}

function put<Entry extends { id: string }>(entries: Map<string, Entry>, entry: Entry): void {
  entries.set(entry.id, entry);
  if (entries.size > KEPT) entries.delete(entries.keys().next().value as string);
}
