import { expect, test } from 'vitest';
import { createRandom } from '../../../src/simulate/random.ts';
import { readTraceLoad } from '../../../src/simulate/spec/trace-load.ts';

const TRACE = 'app,func,end_timestamp,duration\na,f,11,1\na,g,13,1\na,f,20,2\n';

test('a trace comes as fast as asked, and takes what it took', () => {
  const read = readTraceLoad(TRACE, { file: 't.csv', speed: 2, func: undefined });
  if ('wrong' in read) throw new Error(read.wrong);
  const random = createRandom(1);
  expect([read.load.next(0, random), read.load.next(1000, random), read.lengthMs]).toEqual([0.001, 4000, 4000]);
  expect(read.time.serviceTime.meanMs).toBeCloseTo(4000 / 3);
});

test('one function of a trace is told by how its name begins', () => {
  const read = readTraceLoad(TRACE, { file: 't.csv', speed: 1, func: 'f' });
  expect(read).toMatchObject({ lengthMs: 8000, time: { why: expect.stringContaining('2 calls') } });
});

test('what is wrong with a trace is said with its place', () => {
  expect(readTraceLoad('a,b', { file: 't.csv', speed: 1, func: undefined })).toMatchObject({
    wrong: expect.stringContaining('t.csv:1: the first line'),
  });
  expect(readTraceLoad(TRACE, { file: 't.csv', speed: 1, func: 'x' })).toEqual({ wrong: 't.csv has no function x…' });
});
