import { expect, test } from 'vitest';
import { aroundFile, aroundService, marked, problemsOf } from '../parse.ts';

/** Keys of a service (or of the file), with `§` where the problem is; then what is said of it. */
export type Case = [name: string, yaml: string, problem: string];

export const run = 'run: { docker: { image: a, port: 80 } }';
export const routed = `routes: [{ path: / }]\n${run}`;

/** Each of the cases is refused for its one problem, which is told with its place. */
function eachIsRefused(cases: readonly Case[], around: (yaml: string) => string): void {
  test.each(cases)('%s is refused, with its place', (_name, yaml, problem) => {
    const { text, place } = marked(around(yaml));
    expect(problemsOf(text)).toEqual([`${place}  ${problem}`]);
  });
}

export const refusedInService = (cases: readonly Case[]) => eachIsRefused(cases, aroundService);
export const refusedInFile = (cases: readonly Case[]) => eachIsRefused(cases, aroundFile);
