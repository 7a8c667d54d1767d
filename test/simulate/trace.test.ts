import { expect, test } from 'vitest';
import { readTrace } from '../../src/simulate/trace.ts';

const HEAD = 'app,func,end_timestamp,duration';

test('calls begin where they end less what they took, from the first one on', () => {
  const read = readTrace(`${HEAD}\na,f,12.5,2\na,g,10.25,0.25\n`);
  expect(read).toEqual({
    calls: [
      { app: 'a', func: 'g', atMs: 0, durationMs: 250 },
      { app: 'a', func: 'f', atMs: 500, durationMs: 2000 },
    ],
  });
});

test.each([
  ['', 1, 'first line'],
  [`${HEAD}\na,f,1`, 2, '3 cells'],
  [`${HEAD}\na,f,1,2\na,f,x,2`, 3, 'the end is no number'],
  [`${HEAD}\na,f,1,-2`, 2, 'the duration is no number'],
])('says what is wrong and in which line: %j', (text, line, wrong) => {
  expect(readTrace(text)).toEqual({ line, wrong: expect.stringContaining(wrong) });
});
