import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { EarlierDecisions } from '../../src/control/journal/earlier-decisions.ts';
import type { DecisionEntry } from '../../src/model/decision.ts';
import { decisionLog } from '../control/support/decision-log.ts';
import { MemoryJournal } from '../control/support/memory-journal.ts';

/** A tick, or what happens between two. */
const happening = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('step', 'budget') },
  { weight: 4, arbitrary: fc.constant('nothing') },
  { weight: 2, arbitrary: fc.constant('change') },
  { weight: 1, arbitrary: fc.constant('adopt') },
  { weight: 2, arbitrary: fc.nat(20) },
);

/** What happens to a service, with all that its log keeps of it and puts into the journal. */
function run(happenings: readonly (string | number)[]): { journal: MemoryJournal; entries: DecisionEntry[] } {
  const journal = new MemoryJournal();
  const { decisions, scaled, refused } = decisionLog(journal);
  const ids: string[] = [];
  for (const what of happenings) {
    if (typeof what === 'number') decisions.cameOf(ids[what % Math.max(1, ids.length)] ?? 'unknown', `news ${what}`);
    else if (what === 'nothing') scaled({});
    else if (what === 'adopt') decisions.adopting(1, 2, 'found');
    else if (what === 'change') ids.push(scaled({ action: 'scale-up', kind: 'latency', from: 2, to: 3 }) as string);
    else refused(what);
  }
  decisions.close();
  return { journal, entries: decisions.entries };
}

test('what a journal gives back is what was remembered, whatever happened', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 400 }), (happenings) => {
      const { journal, entries } = run(happenings);
      const earlier = new EarlierDecisions();
      for (const record of journal.records) earlier.add(JSON.stringify(record));
      const again = decisionLog({ append() {}, takeEarlier: (service) => earlier.take(service) });
      expect(again.decisions.entries).toEqual(entries);
      expect(earlier.unreadable).toBe(0);
    }),
  );
});

test('a journal that is cut anywhere loses the line that is cut, and no other', () => {
  const line = JSON.stringify(run(['change']).journal.records[0]);
  fc.assert(
    fc.property(fc.nat(line.length - 1), (cut) => {
      const earlier = new EarlierDecisions();
      for (const each of [line, line.slice(0, cut), line.replace('"id":"', '"id":"other-')]) earlier.add(each);
      expect(earlier.unreadable).toBe(cut === 0 ? 0 : 1);
      expect(earlier.take('shop')).toHaveLength(2);
    }),
  );
});

test('refusals do not overlap, lasted as long as they say, and stood for three ticks at least', () => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 200 }), (happenings) => {
      const refusals = run(happenings).entries.filter((entry) => entry.action === 'none');
      let until = 0;
      for (const { at, ended } of refusals) {
        expect(Date.parse(at)).toBeGreaterThanOrEqual(until);
        until = Date.parse(ended?.at ?? '');
        expect(until - Date.parse(at)).toBe(ended?.lastedMs);
        expect(ended?.ticks).toBeGreaterThanOrEqual(3);
      }
    }),
  );
});
