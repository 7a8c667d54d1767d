import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Heap } from '../../src/util/heap.ts';

test('entries come out by time, and those of one time by their order, whatever was removed in between', () => {
  const step = fc.oneof(
    fc.record({ add: fc.integer({ min: 0, max: 20 }) }),
    fc.record({ remove: fc.nat() }),
    fc.constant('take' as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap<{ at: number; order: number; place: number }>();
      let expected: { at: number; order: number; place: number }[] = [];
      steps.forEach((each, order) => {
        expected.sort((a, b) => a.at - b.at || a.order - b.order);
        if (each === 'take') {
          expect(heap.take()).toBe(expected.shift());
        } else if ('add' in each) {
          const entry = { at: each.add, order, place: -1 };
          expected.push(entry);
          heap.add(entry);
        } else if (expected.length > 0) {
          const entry = expected[each.remove % expected.length] as (typeof expected)[number];
          expected = expected.filter((other) => other !== entry);
          heap.remove(entry);
          heap.remove(entry);
        }
        expect(heap.size).toBe(expected.length);
      });
    }),
  );
});
