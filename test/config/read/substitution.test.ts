// biome-ignore-all lint/suspicious/noTemplateCurlyInString: substitutions are what is tested
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maskReferences, substitute, unmaskReferences } from '../../../src/config/read/substitute.ts';
import { aroundService, marked, problemsOf, settingsOf } from '../parse.ts';

const env = { A: 'one', EMPTY: '', NUMBER: '7', FLAG: 'true', NESTED: '${A}' };

describe('substitute', () => {
  test.each([
    ['plain', 'plain'],
    ['${A}', 'one'],
    ['x${A}y${A}z', 'xoneyonez'],
    ['${A:-two}', 'one'],
    ['${UNSET:-two}', 'two'],
    ['${UNSET:-}', ''],
    ['${EMPTY:-two}', 'two'],
    ['${EMPTY}', ''],
    ['${UNSET:-http://a:1/b-c}', 'http://a:1/b-c'],
    ['$$', '$'],
    ['$${A}', '${A}'],
    ['$$${A}', '$one'],
    ['pa$word$', 'pa$word$'],
    ['${NESTED}', '${A}'],
    ['{port}', '{port}'],
  ])('%s → %s', (text, expected) => {
    expect(substitute(text, env)).toMatchObject({ text: expected, faults: [] });
  });

  test.each([
    ['${UNSET}', 'the variable UNSET is not set and has no default (${UNSET:-default})'],
    ['${}', 'not a substitution: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign'],
    ['${A', 'not a substitution: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign'],
    ['${1A}', 'not a substitution: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign'],
    ['${A-two}', 'not a substitution: write ${NAME}, ${NAME:-default}, or $$ for a dollar sign'],
  ])('%s is refused', (text, fault) => {
    expect(substitute(text, env).faults).toEqual([fault]);
  });

  test('any text comes back when its dollars are doubled', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(substitute(text.replaceAll('$', '$$$$'), {})).toEqual({ text, variables: false, faults: [] });
      }),
    );
  });

  test('any value is filled in as it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (before, value, after) => {
        const plain = (text: string) => text.replaceAll('$', '');
        const result = substitute(`${plain(before)}\${V}${plain(after)}`, { V: value });
        expect(result.text).toBe(`${plain(before)}${value}${plain(after)}`);
      }),
    );
  });

  test('masking keeps every position and is undone', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom('${A}', '${A:-[x, y]: #}', '$${B}', '${', '}', '\n'));
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        expect(maskReferences(text)).toHaveLength(text.length);
        expect(unmaskReferences(maskReferences(text))).toBe(text);
      }),
    );
  });
});

describe('in a file', () => {
  const run = 'routes: [{}]\nrun: { docker: { image: a, port: 80 } }';
  const service = (keys: string, vars: Record<string, string> = env) =>
    settingsOf(aroundService(keys), vars).services[0];

  test('what is filled in is a number or a truth value where one is wanted, and a text where a text is', () => {
    const keys =
      'routes: [{}]\nrun: { docker: { image: "${NUMBER}", port: 80, env: { N: "${NUMBER}", F: "${FLAG}" } } }';
    expect(service(`${keys}\nscale:\n  max: \${NUMBER}\nallowHalfOpen: "\${FLAG}"`)).toMatchObject({
      run: { image: '7', env: { N: '7', F: 'true' } },
      scale: { max: 7 },
      allowHalfOpen: true,
    });
  });

  test('a reference within a flow mapping needs no quotes', () => {
    const keys = `${run}\nscale: { max: \${NUMBER}, min: \${UNSET:-2}, initial: \${UNSET:-2} }\nupstreamHost: \${H:-a:1}`;
    expect(service(keys)).toMatchObject({ scale: { min: 2, max: 7 }, upstreamHost: 'a:1' });
  });

  test('in every style of scalar', () => {
    const keys = `routes: [{}]\nrun:\n  process:\n    command: ['\${A}', "\${A}", "{port}"]\n    env:\n      B: |-\n        \${A}\n        two`;
    expect(service(keys)?.run).toMatchObject({ command: ['one', 'one', '{port}'], env: { B: 'one\ntwo' } });
  });

  test('nothing filled in counts as not given, except as a variable of its own', () => {
    const keys =
      'routes: [{}]\nrun: { docker: { image: a, port: 80, user: ${EMPTY}, env: { E: ${EMPTY} } } }\nupstreamHost: ${U:-}';
    expect(service(keys)).toMatchObject({ run: { user: undefined, env: { E: '' } }, upstreamHost: undefined });
  });

  test('keys are not substituted', () => {
    const keys = 'routes: [{}]\nrun: { process: { command: ["{port}"], env: { "${A}": x } } }';
    expect(service(keys)?.run).toMatchObject({ env: { '${A}': 'x' } });
  });

  test('an unset variable is told at the value, and only that', () => {
    const { text, place } = marked(aroundService('routes: [{}]\nendpoints: { consul: { service: §${UNSET} } }'));
    expect(problemsOf(text, env)).toEqual([
      `${place}  services.app.endpoints.consul.service: the variable UNSET is not set and has no default (\${UNSET:-default})`,
    ]);
  });

  test('places behind a long value are those of the file as written', () => {
    const { text, place } = marked(aroundService(`${run}\nhold: { perClient: \${NUMBER}, max: §0 }`));
    const problems = problemsOf(text, { NUMBER: '1000000000' });
    expect(problems[0]?.split('  ')[0]).toBe(place);
    expect(problems).toHaveLength(1);
  });

  test('a wrong value that came from a variable is shown as it is written', () => {
    const { text, place } = marked(aroundService(`${run}\nscale:\n  max: §\${MAX}`));
    const problem = 'services.app.scale.max: expected a whole number from 1 to 100000, found "${MAX}"';
    expect(problemsOf(text, { MAX: 'many' })).toEqual([`${place}  ${problem}`]);
  });
});
