/**
 * Compares `scale.idle: auto`, over its weights, with fixed idle times and the hybrid histogram policy, by what their
 * replicas take of memory and how long users wait for starts: on generated services, or on recorded calls.
 *
 *   npm run -s bench:recycling                                  1,000 services, a week, seed 1
 *   npm run -s bench:recycling -- --services 200 --days 2 --seed 3
 *   npm run -s bench:recycling -- --most 3000                   without services that are called more often: they take
 *                                                               most of the time, and most are kept by all policies
 *   npm run -s bench:recycling -- --trace FILE                  recorded calls, or counts per minute (CSV)
 *   npm run -s bench:recycling -- --out recycling.html          with the fronts as plots
 *   npm run -s bench:recycling -- --weights 6                   so many weights a decade; 3 by default, 24 with a trace
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { compare } from '../src/simulate/recycling/compare.ts';
import { DAY_MS, generateServices } from '../src/simulate/recycling/generate.ts';
import { hybridHistogram } from '../src/simulate/recycling/hybrid-histogram.ts';
import { fixedKeep } from '../src/simulate/recycling/keep-policy.ts';
import { ownPolicy } from '../src/simulate/recycling/own-policy.ts';
import { readCalls } from '../src/simulate/recycling/read-calls.ts';
import { frontReport, HEAD, partsOf, rowsOf, STANDING_HEAD, standingRows } from '../src/simulate/recycling/tables.ts';
import type { ServiceCalls } from '../src/simulate/recycling/workload.ts';
import { frontPage } from '../src/simulate/report/front-page.ts';
import { readOrRefuse } from './support/arguments.ts';

/** Of `scale.weight`. */
const DEFAULT_WEIGHT = 150;
/** From less memory than all rivals take to less waiting. */
const LEAST_WEIGHT = 15;
const MOST_WEIGHT = 35_000;
const FIXED_MINUTES = [1, 5, 10, 20];

const usage =
  'usage: npm run -s bench:recycling [-- --services N --days N --seed N --most N | --trace FILE] [--weights N] [--out FILE]';
const { trace, out, ...numbers } = readOrRefuse(usage, () => {
  const { values } = parseArgs({
    options: {
      services: { type: 'string', default: '1000' },
      days: { type: 'string', default: '7' },
      seed: { type: 'string', default: '1' },
      most: { type: 'string' },
      trace: { type: 'string' },
      weights: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const count = (name: 'services' | 'days' | 'seed' | 'most' | 'weights', unless = '') => {
    const text = values[name] ?? unless;
    if (!/^[1-9]\d{0,5}$/.test(text)) throw new Error(`--${name} is a whole number from 1 on`);
    return Number(text);
  };
  // A few calls make few steps, and the front between them is no line.
  const weights = count('weights', values.trace === undefined ? '3' : '24');
  const most = values.most === undefined ? Number.POSITIVE_INFINITY : count('most');
  return { ...values, services: count('services'), days: count('days'), seed: count('seed'), most, weights };
});

const { services, endMs, what } = trace === undefined ? generated() : recorded(trace);
const rivals = [...FIXED_MINUTES.map((minutes) => fixedKeep(`fixed ${minutes}m`, minutes * 60_000)), hybridHistogram];
const began = performance.now();
const outcomes = compare(services, [...rivals, ...weightsOf(numbers.weights).map(ownPolicy)], endMs);
const took = (performance.now() - began) / 1000;
const comparison = {
  rivals: outcomes.slice(0, rivals.length),
  ours: outcomes.slice(rivals.length),
  usual: ownPolicy(DEFAULT_WEIGHT).name,
};

const calls = outcomes[0]?.all.calls ?? 0;
const note = `${what}; ${calls} calls; ${outcomes.length} policies in ${took.toFixed(1)} s`;
console.log(note);
for (const { part, comparison: totals } of partsOf(comparison)) {
  console.log(`\n${part}`);
  print([[...HEAD], ...rowsOf(totals)]);
  print([[...STANDING_HEAD], ...standingRows(totals)]);
}
if (out !== undefined) {
  const notes = [
    note,
    'Further down and further left is better. The line is scale.idle: auto over scale.weight.',
    'Ours against a rival: parts of what the rival takes, where users wait as long, or where it takes as much memory. ' +
      'Under 1, ours is better; ✗ marks where it is not.',
  ];
  writeFileSync(out, frontPage(frontReport('Memory against waiting', notes, comparison)));
  console.log(`\nwritten: ${out}`);
}

/** So many a decade; the default of `scale.weight` is one of them. */
function weightsOf(perDecade: number): number[] {
  const step = (weight: number) => Math.floor(perDecade * Math.log10(weight / DEFAULT_WEIGHT));
  const [least, most] = [step(LEAST_WEIGHT), step(MOST_WEIGHT)];
  return Array.from({ length: most - least + 1 }, (_, i) =>
    Number((DEFAULT_WEIGHT * 10 ** ((least + i) / perDecade)).toPrecision(3)),
  );
}

function generated(): { services: readonly ServiceCalls[]; endMs: number; what: string } {
  const { services: count, days, seed, most } = numbers;
  const all = [...generateServices({ services: count, days, seed })];
  const played = all.filter(({ at }) => at.length <= most);
  const left = played.length < all.length ? `, of which ${played.length} are called at most ${most} times` : '';
  return {
    services: played,
    endMs: days * DAY_MS,
    what: `${count} generated services, days: ${days}, seed ${seed}${left}`,
  };
}

function recorded(file: string): { services: readonly ServiceCalls[]; endMs: number; what: string } {
  const read = readOrRefuse(usage, () => {
    const result = readCalls(readFileSync(file, 'utf8'));
    if ('wrong' in result) throw new Error(`${file}:${result.line}: ${result.wrong}`);
    return result;
  });
  return { ...read, what: `${read.services.length} recorded services, ${Math.round(read.endMs / 60_000)} minutes` };
}

function print(rows: readonly string[][]): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  for (const row of rows)
    console.log(
      `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')}`,
    );
}
