import Table from 'cli-table3';
import type { Outcome } from '../simulate/outcome.ts';
import { changeText, decidedAt, FIGURES, figureRows } from '../simulate/report/figures.ts';
import { printable } from '../util/printable.ts';
import { noLines } from './plain-table.ts';

const LONGEST_LINE = 1000;

/** A row per policy, without lines. */
export function outcomeTable(outcomes: readonly Outcome[]): string {
  const table = new Table({
    head: [...FIGURES],
    colAligns: ['left', ...FIGURES.slice(1).map(() => 'right' as const)],
    chars: noLines,
    style: { 'padding-left': 0, 'padding-right': 2, head: [], border: [] },
  });
  table.push(...figureRows(outcomes));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** What each policy decided, in order, a line each: when (seconds of the load), what and why. */
export function decisionLines(outcomes: readonly Outcome[]): string[] {
  return outcomes.flatMap(({ policy, services }) =>
    services.flatMap(({ service, decisions }) => {
      if (decisions.length === 0) return [];
      const of = services.length === 1 ? '' : ` about ${service}`;
      const lines = decisions.map((decision) =>
        printable(
          `${decidedAt(decision).toFixed(1).padStart(8)}s  ${changeText(decision)}: ${decision.reason}`,
          LONGEST_LINE,
        ),
      );
      return ['', `${policy} decided${of}:`, ...lines];
    }),
  );
}
