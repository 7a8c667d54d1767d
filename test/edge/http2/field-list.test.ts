import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addLines, type FieldList, LinesMemory } from '../../../src/edge/http2/field-list.ts';

test('lines that are remembered are the same as those that are read, whatever came before', () => {
  const line = fc.constantFrom(
    'Content-Type: text/plain\r\n',
    'Connection: close\r\n',
    'X-A:  b \r\n',
    `X-B: ${'b'.repeat(3000)}\r\n`,
  );
  const lines = fc.array(line, { maxLength: 4 }).map((all) => all.join(''));
  fc.assert(
    fc.property(fc.array(lines, { maxLength: 12 }), (answers) => {
      const memory = new LinesMemory();
      for (const answer of answers) {
        const [read, remembered]: [FieldList, FieldList] = [
          [':status', '200'],
          [':status', '200'],
        ];
        addLines(read, answer);
        memory.add(remembered, answer);
        expect(remembered).toEqual(read);
        // Whoever gets them may change them.
        remembered.push('x', 'y');
      }
    }),
  );
});
