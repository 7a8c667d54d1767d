import type { DeclarationStatus } from '../model/declarations.ts';
import { printable } from '../util/printable.ts';

const LINE_LENGTH = 1000;

/** What is wrong with services that declare themselves, or was left out of them, a line each. */
export function declarationLines(declarations: readonly DeclarationStatus[]): string[] {
  return declarations.flatMap(({ title, service, state, problems, remarks }) => {
    const standing = state === 'former' ? `${state}: what it said before holds` : state;
    const wrong = problems.map((problem) => `${title} (${service}, ${standing}): ${problem}`);
    const leftOut = remarks.map((remark) => `${title} (${service}): ${remark}`);
    return [...wrong, ...leftOut].map((line) => printable(line, LINE_LENGTH));
  });
}
