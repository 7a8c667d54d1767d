/**
 * Compares `scale.idle: auto`, over its weights, with fixed idle times and the hybrid histogram policy, by what their
 * replicas take of memory and how long users wait for starts: on generated services, or on recorded calls.
 *
 *   npm run -s bench:recycling                                  1,000 services, a week, seed 1
 *   npm run -s bench:recycling -- --services 200 --days 2 --seed 3
 *   npm run -s bench:recycling -- --trace FILE                  recorded calls, or counts per minute (CSV)
 *   npm run -s bench:recycling -- --out recycling.html          with the fronts as plots
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

/** Four weights a decade, from the rule of thumb to always on; `scale.weight` is 150 by default. */
const WEIGHTS = [2.5, 5, 10, 20, 40, 80, 150, 250, 450, 800, 1400, 2500, 4500, 8000, 14_000, 25_000, 80_000];
const FIXED_MINUTES = [1, 5, 10, 20];

const usage = 'usage: npm run -s bench:recycling [-- --services N --days N --seed N | --trace FILE] [--out FILE]';
const { trace, out, ...numbers } = readOrRefuse(usage, () => {
  const { values } = parseArgs({
    options: {
      services: { type: 'string', default: '1000' },
      days: { type: 'string', default: '7' },
      seed: { type: 'string', default: '1' },
      trace: { type: 'string' },
      out: { type: 'string' },
    },
  });
  const count = (name: 'services' | 'days' | 'seed') => {
    if (!/^[1-9]\d{0,5}$/.test(values[name])) throw new Error(`--${name} is a whole number from 1 on`);
    return Number(values[name]);
  };
  return { ...values, services: count('services'), days: count('days'), seed: count('seed') };
});

const { services, endMs, what } = trace === undefined ? generated() : recorded(trace);
const rivals = [...FIXED_MINUTES.map((minutes) => fixedKeep(`fixed ${minutes}m`, minutes * 60_000)), hybridHistogram];
const began = performance.now();
const outcomes = compare(services, [...rivals, ...WEIGHTS.map(ownPolicy)], endMs);
const took = (performance.now() - began) / 1000;
const comparison = { rivals: outcomes.slice(0, rivals.length), ours: outcomes.slice(rivals.length) };

const calls = outcomes[0]?.all.calls ?? 0;
const note = `${what}; ${calls} calls; ${outcomes.length} policies in ${took.toFixed(1)} s`;
console.log(note);
for (const { part, comparison: totals } of partsOf(comparison)) {
  console.log(`\n${part}`);
  print([[...HEAD], ...rowsOf(totals)]);
  print([[...STANDING_HEAD], ...standingRows(totals)]);
}
if (out !== undefined) {
  const notes = [note, 'Further down and further left is better. The line is scale.idle: auto over scale.weight.'];
  writeFileSync(out, frontPage(frontReport('Memory against waiting', notes, comparison)));
  console.log(`\nwritten: ${out}`);
}

function generated(): { services: readonly ServiceCalls[]; endMs: number; what: string } {
  const { services: count, days, seed } = numbers;
  const what = `${count} generated services, days: ${days}, seed ${seed}`;
  return { services: [...generateServices({ services: count, days, seed })], endMs: days * DAY_MS, what };
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
