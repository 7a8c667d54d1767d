import { formatProblem } from '../config/check/problem.ts';
import { loadConfig } from '../config/load/load.ts';
import type { Settings } from '../model/settings.ts';
import type { Terminal } from './terminal.ts';

/** The settings in a file; undefined when it is wrong, after one line per problem on stderr. */
export async function readSettings(file: string, terminal: Terminal): Promise<Settings | undefined> {
  const result = await loadConfig(file, terminal.env);
  const problems = result.ok ? result.warnings : result.problems;
  for (const problem of problems) terminal.err(`${result.ok ? 'warning: ' : ''}${formatProblem(problem)}`);
  return result.ok ? result.settings : undefined;
}
