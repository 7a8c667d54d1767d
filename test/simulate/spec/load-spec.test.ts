import { expect, test } from 'vitest';
import type { OpenLoad } from '../../../src/simulate/load.ts';
import { createRandom } from '../../../src/simulate/random.ts';
import { LOAD_FORMS } from '../../../src/simulate/spec/forms.ts';
import { readLoad } from '../../../src/simulate/spec/load-spec.ts';

/** Arrivals in (from, to], s. */
function count(text: string, from: number, to: number): number {
  const load = readLoad(`${text},even`).load as OpenLoad;
  const random = createRandom(1);
  let found = 0;
  for (let at = load.next(from * 1000 + 0.5, random); at !== undefined && at <= to * 1000 + 0.5; found++) {
    at = load.next(at, random);
  }
  return found;
}

test.each(LOAD_FORMS)('%s is a load', (form) => {
  expect(readLoad(form).load.kind).toBe(form.startsWith('closed') ? 'closed' : 'open');
});

test('rates are what they say, when they say', () => {
  expect(count('constant:20', 0, 10)).toBe(200);
  expect([count('step:10,150@60s,10@3m', 59, 60), count('step:10,150@60s,10@3m', 60, 61)]).toEqual([10, 150]);
  expect(count('step:10,150@60s,10@3m', 181, 182)).toBe(10);
  expect(count('ramp:0..20/10s', 0, 10)).toBe(100);
  expect([count('spike:10..200@60s/3s', 60, 63), count('spike:10..200@60s/3s', 63, 64)]).toEqual([600, 10]);
  expect(count('sine:10..110/1m', 0, 60)).toBe(3600);
});

test('loads come one after the other, each as if it began then', () => {
  const text = 'constant:20 for 1m then ramp:20..80/1m for 2m then step:10,30@10s';
  expect([count(text, 59, 60), count(text, 60, 120), count(text, 179, 180)]).toEqual([20, 3000, 80]);
  expect([count(text, 180, 190), count(text, 190, 191)]).toEqual([100, 30]);
});

test('clients think and have their patience', () => {
  const { load, patienceMs } = readLoad('closed:50,think:2s,patience:10s');
  expect(load).toMatchObject({ kind: 'closed', clients: 50, think: { meanMs: 2000 } });
  expect(patienceMs).toBe(10_000);
});

test.each([
  ['20', 'expected a load ('],
  ['sinus:1..2/3s', 'expected a load ('],
  ['constant:fast', 'expected a rate (requests per second), found "fast"'],
  ['constant:20,odd', 'expected even or patience:TIME, found "odd"'],
  ['step:10', 'expected step:RATE,RATE@TIME, found "step:10"'],
  ['step:10,20@2m,30@1m', 'expected steps in the order of time'],
  ['ramp:8..160', 'expected a load ('],
  ['ramp:8..160/2', 'expected a duration such as 250ms, 5s or 2m, found "2"'],
  ['ramp:8..160@1s/2s', 'expected a load ('],
  ['sine:117..7/10m', 'expected the least rate first'],
  ['closed:0', 'expected a number of clients, found "0"'],
  ['constant:20 then constant:30', 'expected how long it goes on (LOAD for TIME then LOAD), found "constant:20"'],
  ['constant:20,even for 1m then constant:30', 'expected "even" and "patience" at the end of the last load'],
  ['closed:5 for 1m then constant:30', 'expected a load that does not depend on answers, found "closed:5"'],
  ['constant:20 for 1m then closed:5', 'expected a load that does not depend on answers after "then"'],
  ['closed:5,even', 'expected think:TIME or patience:TIME, found "even"'],
])('%s is refused, with what was expected', (text, message) => {
  expect(() => readLoad(text)).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.stringContaining(message) }),
  );
});
