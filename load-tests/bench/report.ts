import Table from 'cli-table3';
import { median } from '../support/process.ts';
import type { Measured } from './measure.ts';
import type { Subject } from './proxies/subject.ts';
import type { Round } from './sample.ts';

/** What nothing is compared with. */
const NONE = { cpu: Number.NaN, p99: Number.NaN } as Round;
const HEAD = ['', 'requests/s', 'p50 ms', 'p99 ms', 'CPU µs/request', 'RSS MiB', 'failed'];
const COUNTED = ['instructions/request', 'cache misses/request'];

/** What ratios compare with: how their columns call it, and each subject's own. */
interface Reference {
  title: string;
  of: (subject: Subject, all: readonly Subject[]) => Subject | undefined;
}

/** The proxy of that name, for every subject. */
export function referenceNamed(name: string): Reference {
  return { title: name, of: (_subject, all) => all.find((other) => other.name === name) };
}

/** The other state of Pilotlight, in the same variant of the workload. */
export const BEFORE: Reference = {
  title: 'before',
  of: ({ variant }, all) => all.find((other) => other.isBefore === true && other.variant === variant),
};

/**
 * A table of medians with least–most of the rounds. Ratios compare with each reference round by round, so that what the
 * machine did meanwhile counts for both.
 */
export function renderTable(measured: readonly Measured[], references: readonly Reference[]): string {
  const all = measured.map(({ subject }) => subject);
  const present = references.filter((reference) => all.some((subject) => reference.of(subject, all) !== undefined));
  const isCounted = measured.some(({ rounds }) => rounds.some(({ instructions }) => !Number.isNaN(instructions)));
  const head = [...HEAD, ...(isCounted ? COUNTED : [])];
  for (const { title } of present) head.push(`CPU / ${title}`, `p99 / ${title}`);
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
    if (isCounted) {
      row.push(of(({ instructions }) => instructions, 0));
      row.push(of(({ cacheMisses }) => cacheMisses, 1));
    }
    for (const reference of present) {
      const others = measured.find((other) => other.subject === reference.of(subject, all))?.rounds ?? [];
      row.push(ratios(rounds, others, ({ cpu }) => cpu, 3));
      row.push(ratios(rounds, others, ({ p99 }) => p99, 2));
    }
    table.push(row);
  }
  return table.toString();
}

/**
 * What this state of Pilotlight takes of the CPU of the other one, a line per variant. A round that something else on
 * the machine disturbed stretches least and most; the middle half of the rounds says how sure the median is.
 */
export function renderVerdict(measured: readonly Measured[]): string {
  const all = measured.map(({ subject }) => subject);
  const lines = measured.flatMap(({ subject, rounds }) => {
    const before = measured.find((other) => other.subject === BEFORE.of(subject, all));
    if (before === undefined || before.subject === subject || subject.adminPort === undefined) return [];
    const sorted = ratiosOf(rounds, before.rounds, ({ cpu }) => cpu).sort((a, b) => a - b);
    const quarter = Math.floor(sorted.length / 4);
    const [low, high] = [sorted[quarter] ?? Number.NaN, sorted[sorted.length - 1 - quarter] ?? Number.NaN];
    const half = `half of the rounds ${low.toFixed(3)}–${high.toFixed(3)}`;
    return [`${subject.name}: CPU per request ${median(sorted).toFixed(3)} of what it was before, ${half}`];
  });
  return lines.join('\n');
}

function ratios(rounds: Round[], others: readonly Round[], pick: (round: Round) => number, digits: number): string {
  return spread(ratiosOf(rounds, others, pick), digits);
}

/** Round by round; NaN for those that the others have not. */
function ratiosOf(rounds: readonly Round[], others: readonly Round[], pick: (round: Round) => number): number[] {
  return rounds.map((round, index) => pick(round) / pick(others[index] ?? NONE));
}

/** `median (least–most)`. */
function spread(values: readonly number[], digits: number): string {
  if (values.some(Number.isNaN)) return '–';
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
}
