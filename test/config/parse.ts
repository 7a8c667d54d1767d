import { formatProblem } from '../../src/config/check/problem.ts';
import { type ParseResult, parseConfig } from '../../src/config/load/parse.ts';
import type { Settings } from '../../src/model/settings.ts';

type Env = Record<string, string | undefined>;

/** A file in /etc/pilotlight, so that relative paths have a known folder. */
export const FILE = '/etc/pilotlight/config.yaml';

export function parse(text: string, env: Env = {}): ParseResult {
  return parseConfig(text, FILE, { HOME: '/home/op', ...env });
}

/** The settings of a text that has to be right. */
export function settingsOf(text: string, env: Env = {}): Settings {
  const result = parse(text, env);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.settings;
}

/** What is wrong with a text, as `LINE:COL  path: message`. */
export function problemsOf(text: string, env: Env = {}): string[] {
  const result = parse(text, env);
  return result.ok ? [] : result.problems.map((problem) => formatProblem(problem).slice(FILE.length + 1));
}

export function warningsOf(text: string, env: Env = {}): string[] {
  const result = parse(text, env);
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.warnings.map((problem) => formatProblem(problem).slice(FILE.length + 1));
}

/** Takes the one `§` out of a text and tells where it stood, as `LINE:COL`. */
export function marked(text: string): { text: string; place: string } {
  const offset = text.indexOf('§');
  if (offset === -1 || text.indexOf('§', offset + 1) !== -1) throw new Error('a text has one mark');
  const before = text.slice(0, offset).split('\n');
  return { text: text.replace('§', ''), place: `${before.length}:${(before.at(-1) ?? '').length + 1}` };
}

/** A whole file around one service, whose keys are given as lines of YAML. */
export function aroundService(keys: string): string {
  const indented = keys.replace(/^/gm, '    ');
  return `listen: [{ address: "127.0.0.1:8080" }]\nservices:\n  app:\n${indented}\n`;
}

/** A whole file around top-level keys, with a service that is right. */
export function aroundFile(keys: string): string {
  const rest = 'services:\n  app: { routes: [{ path: / }], endpoints: { static: ["10.0.0.1:80"] } }\n';
  return `${/^§?listen/m.test(keys) ? '' : 'listen: [{ address: "127.0.0.1:8080" }]\n'}${rest}${keys}\n`;
}
