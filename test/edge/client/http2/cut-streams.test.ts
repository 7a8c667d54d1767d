import { expect, test } from 'vitest';
import { CutStreams } from '../../../../src/edge/client/http2/cut-streams.ts';

test('streams that were cut are known, and no others, as long as they are few', () => {
  const cut = new CutStreams();
  for (let id = 1; id < 256; id += 4) cut.add(id);
  expect([cut.has(1), cut.has(3), cut.has(253), cut.has(255)]).toEqual([true, false, true, false]);
});

test('where they are many, old streams count as cut, so that none that was is taken for a breach', () => {
  const cut = new CutStreams();
  for (let id = 1; id < 4000; id += 2) cut.add(id);
  expect([cut.has(1), cut.has(2001), cut.has(3999), cut.has(4001)]).toEqual([true, true, true, false]);
});
