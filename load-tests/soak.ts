/**
 * Lets the program run under mixed traffic while its replicas are killed, its configuration is reloaded and its services
 * are put to sleep, and says what became of every request and what is left when all is quiet. Exits 1 when a request
 * failed without a reason of its own or anything leaked. Linux only.
 *
 * Usage: `npm run soak [-- --minutes 120 --workers 1 --seed 1]`, or `npm run soak -- --cycles 1000 [--workers 1]` for
 * that many sleep/wake cycles of one service under five requests a second.
 */
import { parseArgs } from 'node:util';
import { cycleSleep } from './soak/cycles.ts';
import { soak } from './soak/mixed.ts';
import { defectsOf, growth, renderHoldings, renderReport } from './soak/report.ts';
import { readOrRefuse } from './support/arguments.ts';

const usage = 'usage: npm run soak [-- --minutes N --workers N --seed N | -- --cycles N --workers N]';
const options = {
  minutes: { type: 'string', default: '120' },
  workers: { type: 'string', default: '1' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  cycles: { type: 'string' },
} as const;
const { values } = readOrRefuse(usage, () => parseArgs({ options }));
const [minutes, workers, seed] = [values.minutes, values.workers, values.seed].map(Number) as [number, number, number];
const cycleCount = values.cycles === undefined ? undefined : Number(values.cycles);
if (!(minutes > 0) || !Number.isSafeInteger(seed) || !isCount(workers) || !isCount(cycleCount ?? 1)) {
  console.error(usage);
  process.exit(2);
}
const startedAt = performance.now();
const onProgress = (line: string): void =>
  console.log(`${((performance.now() - startedAt) / 60_000).toFixed(1)} min: ${line}`);

const defects = cycleCount === undefined ? await mixed() : await cycles(cycleCount);
for (const defect of defects) console.log(`DEFECT ${defect}`);
console.log(defects.length === 0 ? 'all right' : `${defects.length} defects`);
process.exit(defects.length === 0 ? 0 : 1);

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number > 0;
}

async function mixed(): Promise<string[]> {
  console.log(`${minutes} minutes, ${workers} workers, seed ${seed}`);
  const report = await soak({ minutes, workers, seed, onProgress });
  console.log(renderReport(report));
  return defectsOf(report);
}

async function cycles(count: number): Promise<string[]> {
  console.log(`${count} sleep/wake cycles, ${workers} workers`);
  const { starts, sent, lost, before, after } = await cycleSleep({ cycles: count, workers, onProgress });
  console.log(`${starts} starts, ${sent} requests sent, ${lost.length} lost`);
  for (const line of renderHoldings({ before, after })) console.log(line);
  return [...lost.map(({ status, error }) => `a request was lost: ${status} ${error ?? ''}`), ...growth(before, after)];
}
