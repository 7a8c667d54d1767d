import { describe, expect, test } from 'vitest';
import { aroundService, marked, problemsOf, settingsOf } from '../parse.ts';

const service = (keys: string) => aroundService(`routes: [{}]\nendpoints: { static: ["a:1"] }\n${keys}`);

test('an option that takes one or several takes both', () => {
  const shedOf = (shed: string) => settingsOf(service(`scale: { shed: ${shed} }`)).services[0]?.scale.shed;
  expect(shedOf('429')).toEqual([429]);
  expect(shedOf('[503, "529"]')).toEqual([503, 529]);
  expect(shedOf('[]')).toEqual([]);
});

describe('of a list the item that is wrong is told, at its place', () => {
  const status = 'expected a status from 400 to 599, found';
  test.each([
    ['scale: { shed: [503, §700] }', `scale.shed[1]: ${status} "700"`],
    ['scale: { shed: [§0503] }', `scale.shed[0]: ${status} "0503"`],
    ['scale: { shed: [§[503]] }', `scale.shed[0]: ${status} a list`],
    ['scale: { shed: [503, §{ a: b }] }', `scale.shed[1]: ${status} a mapping`],
    ['scale: { shed: §700 }', 'scale.shed: expected statuses from 400 to 599, as in [503, 529], found "700"'],
    ['scale: { §shed: { a: b } }', 'scale.shed: expected statuses from 400 to 599, as in [503, 529], found a mapping'],
  ])('%s', (keys, message) => {
    const { text, place } = marked(service(keys));
    expect(problemsOf(text)).toEqual([expect.stringContaining(`${place}  services.`)]);
    expect(problemsOf(text)[0]).toContain(message);
  });

  test('each of them, where there are several', () => {
    expect(problemsOf(service('scale: { shed: [700, 503, x] }')).map((line) => line.replace(/^\S+ {2}/, ''))).toEqual([
      expect.stringContaining('shed[0]'),
      expect.stringContaining('shed[2]'),
    ]);
  });
});
