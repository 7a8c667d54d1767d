import type { Mark } from './score.ts';
import type { Subject } from './subject.ts';

/** What one proxy did, all rows. */
export interface Scored {
  subject: Pick<Subject, 'name' | 'version'>;
  marks: Mark[];
}

const RULES: [rule: Mark['row']['rule'], title: string][] = [
  ['refuse', 'must be refused'],
  ['accept', 'must be passed on, unharmed'],
  ['either', 'may be refused, else must be passed on unharmed'],
  ['truncate', 'broken off: the client must see that'],
];

/** The table for people: rows that each proxy keeps to, by risk and by rule. */
export function table(scored: readonly Scored[]): string[][] {
  const [first] = scored;
  if (first === undefined) return [];
  const risks = [...new Set(first.marks.map(({ risk }) => risk))];
  return [
    ['', ...scored.map(({ subject }) => `${subject.name} ${subject.version}`)],
    ...risks.map((risk) => row(risk, scored, (mark) => mark.risk === risk)),
    row('all', scored, () => true),
    ...RULES.map(([rule, title]) => row(title, scored, (mark) => mark.row.rule === rule)),
  ];
}

function row(title: string, scored: readonly Scored[], takes: (mark: Mark) => boolean): string[] {
  const cells = scored.map(({ marks }) => {
    const taken = marks.filter(takes);
    return `${taken.filter(({ complaints }) => complaints.length === 0).length} / ${taken.length}`;
  });
  return [title, ...cells];
}

/** The table with its columns aligned. */
export function plain(rows: readonly string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? '').length)));
  return rows
    .map((cells) =>
      cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))),
    )
    .map((cells) => cells.join('   '))
    .join('\n');
}

/** The comparison as a part of the page. */
export function markdown(scored: readonly Scored[]): string {
  const [head = [], ...rows] = table(scored);
  const lines = [
    'Rows of the tables that each keeps to, measured by what the RFCs ask of anybody; our own decisions where they leave a',
    'choice are held against Pilotlight only, in its tests. All are plain reverse proxies to the same origin on loopback.',
    '',
    `| ${head.join(' | ')} |`,
    `|${head.map((_, column) => (column === 0 ? '---|' : '---:|')).join('')}`,
    ...rows.map((cells) => `| ${cells.join(' | ')} |`),
  ];
  for (const { subject, marks } of scored) {
    const passed = failures(marks, 'refuse');
    if (passed.length === 0) continue;
    lines.push('', `${subject.name} ${subject.version} lets through what must be refused:`, '');
    for (const [risk, names] of byRisk(passed)) lines.push(`- \`${risk}\`: ${names.join('; ')}`);
  }
  return lines.join('\n');
}

/** Names of the rows of a rule that a proxy does not keep to. */
export function failures(marks: readonly Mark[], rule: Mark['row']['rule']): Mark[] {
  return marks.filter((mark) => mark.row.rule === rule && mark.complaints.length > 0);
}

function byRisk(marks: readonly Mark[]): [risk: string, names: string[]][] {
  const risks = [...new Set(marks.map(({ risk }) => risk))];
  return risks.map((risk) => [risk, marks.filter((mark) => mark.risk === risk).map(({ row: { name } }) => name)]);
}
