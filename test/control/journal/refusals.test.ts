import { expect, test } from 'vitest';
import {
  noRefusals,
  present,
  type RefusalWatch,
  watchChange,
  watchTick,
} from '../../../src/control/journal/refusals.ts';

/** What is told while these are refused, a tick each; `-` is a tick without a refusal, `!` a change. */
function told(ticks: string): string[] {
  let watch: RefusalWatch<string> = noRefusals;
  const said: string[] = [];
  for (const [now, what] of [...ticks].entries()) {
    const next =
      what === '!' ? watchChange(watch, now) : watchTick(watch, what === '-' ? '' : what, now, () => `${what}${now}`);
    watch = next.watch;
    const { begun, ended } = next;
    if (ended) said.push(`${ended.first} over at ${ended.until}, ${ended.ticks} ticks`);
    if (begun) said.push(`${begun.first} begins, seen at ${now}`);
  }
  return said;
}

test.each([
  ['what passes within two ticks is no refusal', 'aa-bb-', []],
  ['one that stands is told once, with the numbers of its first tick', '-aaaaaa', ['a1 begins, seen at 3']],
  [
    'it is over with the first of three ticks without it',
    'aaaaa----',
    ['a0 begins, seen at 2', 'a0 over at 5, 5 ticks'],
  ],
  ['a moment without it is no end', 'aaa-a--a', ['a0 begins, seen at 2']],
  ['a moment of another is no end', 'aaabbab', ['a0 begins, seen at 2']],
  [
    'another one that stays ends it where that began',
    'aaaabbb',
    ['a0 begins, seen at 2', 'a0 over at 4, 4 ticks', 'b4 begins, seen at 6'],
  ],
  ['a change ends it at once', 'aaa!', ['a0 begins, seen at 2', 'a0 over at 3, 3 ticks']],
  ['a change begins the count anew', 'aa!aa-', []],
])('%s', (_, ticks, expected) => {
  expect(told(ticks)).toEqual(expected);
});

test('what is refused at present shows at its first tick', () => {
  const { watch } = watchTick<string>(noRefusals, 'a', 7, () => 'first');
  expect(present(watch)).toMatchObject({ key: 'a', since: 7, ticks: 1 });
  expect(present(watchTick(watch, '', 8, () => undefined).watch)).toBeUndefined();
});
