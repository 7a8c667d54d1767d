import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Member, Members } from '../../src/util/members.ts';

test('holds what was added and not deleted, whatever the order', () => {
  const steps = fc.array(fc.tuple(fc.boolean(), fc.nat({ max: 9 })), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (sequence) => {
      const pool: Member[] = Array.from({ length: 10 }, () => ({ place: 0 }));
      const members = new Members<Member>();
      const expected = new Set<Member>();
      for (const [adds, index] of sequence) {
        const member = pool[index] as Member;
        if (adds && !expected.has(member)) {
          members.add(member);
          expected.add(member);
        } else if (!adds) {
          members.delete(member);
          expected.delete(member);
        }
        expect(members.size).toBe(expected.size);
        expect(new Set(members.list())).toEqual(expected);
      }
    }),
  );
});
