import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Outcome } from '../outcome.ts';
import { draw } from './draw.ts';
import { changeText, decidedAt, FIGURES, figureRows } from './figures.ts';
import { columnsOf } from './plots.ts';

/** What a report tells. */
export interface Report {
  title: string;
  /** A line each. */
  assumed: readonly string[];
  outcomes: readonly Outcome[];
}

const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #111; --faint: #ddd }
@media (prefers-color-scheme: dark) { :root { --paper: #16181d; --ink: #e5e7eb; --faint: #3f434c } }
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; color: var(--ink); background: var(--paper) }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { font-size: 1.15rem }
.wide { overflow-x: auto }
table { border-collapse: collapse }
td, th { padding: .2rem .8rem; text-align: right; vertical-align: top; border-bottom: 1px solid var(--faint) }
th { white-space: nowrap } .figures td { white-space: nowrap }
td:first-child, th:first-child, .decisions td, .decisions th { text-align: left }
.decisions td:first-child, .decisions td:nth-child(2) { white-space: nowrap }
.decisions td:nth-child(n + 3) { min-width: 16rem }
.beside { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1rem 3rem }
#plots { display: flex; flex-wrap: wrap; gap: 0 2rem } .column { flex: 0 1 560px; min-width: 0; margin-bottom: 1rem }
.u-legend { font-size: 12px } .u-title { font-size: 14px }
.mark { position: absolute; top: 0; bottom: 0; width: 7px; margin-left: -3px; z-index: 200 }
.mark::before { content: ""; position: absolute; inset: 0 3px; background: #6b7280 }
.mark.up::before { background: #dc2626 }
.tip { display: none; position: absolute; top: 0; width: max-content; max-width: min(24rem, 60vw); padding: .4rem .6rem;
  background: var(--paper); border: 1px solid #999; font-size: 12px; text-align: left }
.mark:hover, .mark:focus { z-index: 300 } .mark:hover .tip, .mark:focus .tip { display: block }
@media (max-width: 600px) { body { margin: 1rem } }
`;

/** A page that shows a report. */
export function reportPage({ title, assumed, outcomes }: Report): string {
  return htmlPage(
    title,
    `${table([...FIGURES], figureRows(outcomes), 'figures')}
<ul>${assumed.map((line) => `<li>assumed: ${escaped(line)}</li>`).join('')}</ul>
<div id="plots"></div>
<p>Drag over a plot to look closer, double-click to see all. Lines across the replicas are decisions: point at one.</p>
${outcomes.map(decisionTables).join('\n')}`,
    draw.toString(),
    columnsOf(outcomes),
  );
}

/**
 * A page of HTML that holds all that it needs, and may load nothing.
 * @param body HTML below the title
 * @param drawer source of a function that gets uPlot, the document and the data
 */
export function htmlPage(title: string, body: string, drawer: string, data: unknown): string {
  const script = `${packageText('uplot/dist/uPlot.iife.min.js')}
(${drawer})(uPlot, document, JSON.parse(document.getElementById('data').textContent));`;
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-${digest(script)}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<style>${packageText('uplot/dist/uPlot.min.css')}${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${body}
<script type="application/json" id="data">${inertJson(data)}</script>
<script>${script}</script>
</body>
</html>
`;
}

function decisionTables({ policy, services }: Outcome): string {
  const shown = services.filter(({ decisions }) => decisions.length > 0);
  return shown
    .map(({ service, decisions }) => {
      const rows = decisions.map((decision) => [
        `${decidedAt(decision).toFixed(1)} s`,
        changeText(decision),
        decision.reason,
        decision.verdicts.map(({ guard, verdict, detail }) => `${guard} ${verdict}: ${detail}`).join('; '),
      ]);
      const heading = `<h2>Decisions of ${escaped(policy)} about ${escaped(service)}</h2>`;
      return `${heading}\n${table(['when', 'what', 'why', 'guards'], rows, 'decisions')}`;
    })
    .join('\n');
}

/** A table of HTML; the first column is of words. */
export function table(head: readonly string[], rows: readonly string[][], className: string): string {
  const line = (tag: string, cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const body = rows.map((row) => line('td', row)).join('\n');
  return `<div class="wide"><table class="${className}">${line('th', head)}${body}</table></div>`;
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** A text in HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}

/** JSON that no text in it can end the element of. */
function inertJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

function packageText(path: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(path), 'utf8').trim();
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
