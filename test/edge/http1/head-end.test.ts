import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findHeadEnd } from '../../../src/edge/http1/head-finder.ts';

/** Mostly CR and LF, so that every way in which they can meet comes up. */
const bytes = fc.array(fc.constantFrom(13, 10, 13, 10, 65), { maxLength: 40 }).map((list) => Buffer.from(list));

test('the end of a head is where the first empty line is, whatever stands around it', () => {
  fc.assert(
    fc.property(bytes, fc.nat(10), fc.nat(10), (buffer, from, behind) => {
      const end = Math.max(0, buffer.length - behind);
      expect(findHeadEnd(buffer, from, end)).toBe(buffer.subarray(0, end).indexOf('\r\n\r\n', from));
    }),
    { numRuns: 20_000 },
  );
});
