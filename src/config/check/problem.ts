/** Something wrong with a configuration, or, as a warning, probably not meant. Holds no secret's value. */
export interface Problem {
  file: string;
  /** From 1; 0 when the problem is the file itself. */
  line: number;
  /** From 1; 0 when the problem is the file itself. */
  column: number;
  /** `services.shop.routes[0].path`; empty when the problem is the file or its syntax. */
  path: string;
  /** One line. */
  message: string;
}

/** `FILE:LINE:COL  path: message`. */
export function formatProblem(problem: Problem): string {
  const place = problem.line === 0 ? `${problem.file}: ` : `${problem.file}:${problem.line}:${problem.column}  `;
  return `${place}${problem.path === '' ? '' : `${problem.path}: `}${problem.message}`;
}

/** By position; each only once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems
    .toSorted((a, b) => a.line - b.line || a.column - b.column)
    .filter((problem) => {
      const key = `${problem.file} ${problem.line}:${problem.column} ${problem.path} ${problem.message}`;
      return !seen.has(key) && seen.add(key);
    });
}
