import { drawFronts, type FrontPlot } from './draw-fronts.ts';
import { escaped, htmlPage, table } from './page.ts';

/** Policies that were compared, with what each came to. */
export interface FrontReport {
  title: string;
  /** A line each, above the tables. */
  notes: readonly string[];
  sections: readonly FrontSection[];
}

interface FrontSection {
  heading: string;
  head: readonly string[];
  rows: readonly string[][];
  /** How one of the lines stands to each of the points. */
  standingHead: readonly string[];
  standings: readonly string[][];
  plot: FrontPlot;
}

/** A page with a table and the front for each kind of services. */
export function frontPage({ title, notes, sections }: FrontReport): string {
  const body = `<ul>${notes.map((note) => `<li>${escaped(note)}</li>`).join('')}</ul>
<div id="plots"></div>
${sections.map(sectionOf).join('\n')}`;
  return htmlPage(
    title,
    body,
    drawFronts.toString(),
    sections.map(({ plot }) => plot),
  );
}

function sectionOf({ heading, head, rows, standingHead, standings }: FrontSection): string {
  const tables = [table(standingHead, standings, 'figures'), table(head, rows, 'figures')];
  return `<h2>${escaped(heading)}</h2>\n<div class="beside">${tables.join('\n')}</div>`;
}
