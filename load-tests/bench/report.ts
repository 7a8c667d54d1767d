import Table from 'cli-table3';
import { median } from '../support/process.ts';
import type { Measured } from './measure.ts';
import type { Round } from './sample.ts';

const HEAD = ['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request', 'RSS MiB', 'failed'];

/**
 * A table of medians with least–most of the rounds. Ratios compare with the reference of that name round by
 * round, so that what the machine did meanwhile counts for both.
 */
export function renderTable(measured: readonly Measured[], name: string | undefined): string {
  const reference = measured.find(({ subject }) => subject.name === name);
  const head = reference === undefined ? HEAD : [...HEAD, `CPU / ${name}`, `p99 / ${name}`];
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  for (const { subject, rounds } of measured) {
    const of = (pick: (round: Round) => number, digits: number) => spread(rounds.map(pick), digits);
    const row = [
      subject.name,
      of(({ requests, seconds }) => requests / seconds, 0),
      of(({ p50 }) => p50, 2),
      of(({ p99 }) => p99, 2),
      of(({ cpu }) => cpu, 1),
      of(({ resident }) => resident, 0),
      rounds.reduce((sum, { failed }) => sum + failed, 0),
    ];
    if (reference !== undefined) {
      row.push(ratios(rounds, reference.rounds, ({ cpu }) => cpu));
      row.push(ratios(rounds, reference.rounds, ({ p99 }) => p99));
    }
    table.push(row);
  }
  return table.toString();
}

function ratios(rounds: readonly Round[], others: readonly Round[], pick: (round: Round) => number): string {
  const values = rounds.map((round, index) => pick(round) / pick(others[index] ?? round));
  return spread(values, 2);
}

/** `median (least–most)`. */
function spread(values: readonly number[], digits: number): string {
  if (values.some(Number.isNaN)) return '–';
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
