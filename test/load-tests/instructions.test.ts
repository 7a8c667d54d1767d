import { expect, test } from 'vitest';
import { profileOf, totalOf } from '../../load-tests/instructions/profile.ts';

const map = [
  '1000 40 JS:~parse file:///somewhere/src/edge/http1/head.ts:155:8',
  "2000 80 JS:*'parse file:///somewhere/src/edge/http1/head.ts:155:8",
  "3000 20 JS:*'old file:///elsewhere/src/edge/old.ts:1:2",
  "3000 20 JS:*'resume node:net:1060:35",
  '4000 10 Builtin of V8',
].join('\n');

const annotated = `
--------------------------------------------------------------------------------
Ir
--------------------------------------------------------------------------------
1,000 (100.0%)  PROGRAM TOTALS

Ir            file:function
--------------------------------------------------------------------------------
500 (50.00%)  ???:0x0000000000002010 [???]
100 (10.00%)  ???:0x0000000000001000 [???]
200 (20.00%)  ???:0x0000000000003008 [???]
 50 ( 5.00%)  ???:0x0000000000009999 [???]
1,150 (15.00%)  ./string/memmove.S:__memcpy [/usr/lib/libc.so.6]
`;

test('instructions are told by function, of what V8 has made as well', () => {
  const profile = profileOf(annotated, map);
  expect(Object.fromEntries(profile)).toEqual({
    'parse src/edge/http1/head.ts': 600,
    'resume node:net': 200,
    'code of V8 without a name': 50,
    __memcpy: 1150,
  });
  expect(totalOf(profile)).toBe(2000);
});
