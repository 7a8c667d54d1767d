import { expect, test } from 'vitest';
import { readCalls } from '../../../src/simulate/recycling/read-calls.ts';

const TRACE = 'app,func,end_timestamp,duration\na,f,2,1\nb,g,4,0.5\na,f,11,2\n';
const COUNTS = 'HashOwner,HashApp,HashFunction,Trigger,1,2,3\no,a,f,http,2,0,1\no,a,g,timer,0,0,0\n';

test('a trace: every function is a service', () => {
  const read = readCalls(TRACE);
  if ('wrong' in read) throw new Error(read.wrong);
  expect(read.endMs).toBe(10_000);
  expect(read.services.map(({ at }) => [...at])).toEqual([[0, 8000], [2500]]);
  expect(read.services.map(({ durationMs }) => [...durationMs])).toEqual([[1000, 2000], [500]]);
});

test('counts per minute: calls are spread over their minute', () => {
  const read = readCalls(COUNTS);
  if ('wrong' in read) throw new Error(read.wrong);
  expect(read.endMs).toBe(180_000);
  expect(read.services.map(({ at }) => [...at])).toEqual([[0, 30_000, 120_000], []]);
});

test('what is neither is told of, with its line', () => {
  expect(readCalls('x\n')).toMatchObject({ line: 1 });
  expect(readCalls(`${TRACE}a,f,1\n`)).toMatchObject({ line: 5 });
  expect(readCalls(`${COUNTS}o,a,h,http,1,2\n`)).toEqual({ line: 4, wrong: '2 minutes instead of 3' });
  expect(readCalls(`${COUNTS}o,a,h,http,1,x,2\n`)).toEqual({ line: 4, wrong: 'no count of calls: "x"' });
});
