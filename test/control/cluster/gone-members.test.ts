import { expect, test } from 'vitest';
import { GoneMembers } from '../../../src/control/cluster/gone-members.ts';

const records = ['a', 'b', 'c'].map((member) => ({ member, address: { host: member, port: 1 }, index: 7 }));
const MINUTE_MS = 60_000;

test('a member that was never here for ten minutes is gone; one that came back is not', () => {
  const gone = new GoneMembers();
  expect(gone.look(records, new Set(['a']), 0)).toEqual([]);
  expect(gone.look(records, new Set(['a', 'b']), 5 * MINUTE_MS)).toEqual([]);
  expect(gone.look(records, new Set(['a']), 9 * MINUTE_MS)).toEqual([]);
  expect(gone.look(records, new Set(['a']), 10 * MINUTE_MS)).toEqual(['c']);
  // It says so once, and begins anew where the record comes back.
  expect(gone.look(records, new Set(['a']), 11 * MINUTE_MS)).toEqual([]);
  expect(gone.look(records, new Set(['a']), 19 * MINUTE_MS)).toEqual(['b']);
  expect(gone.look(records, new Set(['a']), 21 * MINUTE_MS)).toEqual(['c']);
});
