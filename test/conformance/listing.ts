import { type ChecklistLine, checklist, defects } from './checklist.ts';
import type { LineId } from './harness/case.ts';
import { scenarios, tables } from './risks.ts';

interface Named {
  name: string;
  lines: readonly LineId[];
}

/** All tests by risk: each is in the file of its risk, under this name. */
export function testsByRisk(): [risk: string, tests: readonly Named[]][] {
  return [...Object.entries(tables), ...Object.entries(scenarios)];
}

/** Names of the tests of a line, by risk. */
export function testsOf(id: LineId): [risk: string, names: string[]][] {
  return testsByRisk()
    .map(([risk, tests]): [string, string[]] => [
      risk,
      tests.filter(({ lines }) => lines.includes(id)).map(({ name }) => name),
    ])
    .filter(([, names]) => names.length > 0);
}

/** Every line of the checklist with the names of its tests, as Markdown. */
export function listing(): string {
  const parts = Object.entries(checklist).map(
    ([part, lines]) => `### ${part}\n\n${lines.map(describeLine).join('\n')}`,
  );
  return [...parts, `### Defects of others\n\n${defects.map(describeLine).join('\n')}`].join('\n\n');
}

function describeLine({ id, what, none }: ChecklistLine): string {
  const label = typeof id === 'number' ? `**${id}.** ${what}` : `**${id}** ${what}`;
  if (none !== undefined) return `- ${label}. No test: ${none}.`;
  const tests = testsOf(id).map(([risk, names]) => `  - \`${risk}\`: ${names.map(quote).join('; ')}`);
  return [`- ${label}`, ...tests].join('\n');
}

/** A name as code, with what Markdown or a terminal would take for something else made visible. */
function quote(name: string): string {
  const visible = name.replace(/[^ -~\u2018-\u201d]/gu, (char) => `\\x${(char.codePointAt(0) ?? 0).toString(16)}`);
  return visible.includes('`') ? `\`\` ${visible} \`\`` : `\`${visible}\``;
}
