/**
 * Prints what scaling comes to under the loads that it is held to, on virtual time: median and worst of the seeds,
 * beside the most that it may be. Whatever is not held is marked.
 *
 *   npm run -s simulate:bars                         all loads, 10 seeds
 *   npm run -s simulate:bars -- --seeds 3 --only step
 *   npm run -s simulate:bars -- --above auto         with thresholds that are learnt instead of those of the loads
 *   npm run -s simulate:bars -- --policy hpa         (pilotlight, hpa, kpa)
 *   npm run -s simulate:bars -- --only spike --show 1   what was decided, and every second, of seed 1
 */
import { parseArgs } from 'node:util';
import type { DecisionEntry } from '../src/model/decision.ts';
import { LOAD_BEGINS_MS, type ServiceOutcome } from '../src/simulate/outcome.ts';
import type { Policy } from '../src/simulate/policy.ts';
import { hpa } from '../src/simulate/rivals/hpa.ts';
import { kpa } from '../src/simulate/rivals/kpa.ts';
import type { Scenario } from '../src/simulate/scenario.ts';
import { simulate } from '../src/simulate/simulate.ts';
import { bars } from '../test/simulate/bars.ts';
import { readOrRefuse } from './support/arguments.ts';

const usage =
  'usage: npm run -s simulate:bars [-- --seeds N --only NAME --policy pilotlight|hpa|kpa --above auto --show SEED]';
const { values } = readOrRefuse(usage, () =>
  parseArgs({
    options: {
      seeds: { type: 'string', default: '10' },
      only: { type: 'string', default: '' },
      policy: { type: 'string', default: 'pilotlight' },
      above: { type: 'string' },
      show: { type: 'string' },
    },
  }),
);
const policies: Record<string, () => Policy> = { pilotlight: () => 'pilotlight', hpa, kpa: () => kpa(1) };
const policy = policies[values.policy];
if (policy === undefined) throw new Error(`no such policy: ${values.policy}`);
if (values.above !== undefined && values.above !== 'auto') throw new Error(`--above is auto, found ${values.above}`);
const { show } = values;
const seeds =
  show === undefined ? Array.from({ length: Number(values.seeds) }, (_, index) => index + 1) : [Number(show)];

for (const { name, scenario, figures } of bars) {
  if (!name.includes(values.only)) continue;
  const began = performance.now();
  const all: number[][] = figures.map(() => []);
  for (const seed of seeds) {
    const { services } = await simulate(values.above === 'auto' ? learning(scenario(seed)) : scenario(seed), policy());
    if (show !== undefined) services.forEach(print);
    for (const [index, figure] of figures.entries()) all[index]?.push(figure.of(services));
  }
  const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
  console.log(`${name} (${took})`);
  figures.forEach(({ name: what, most }, index) => {
    const sorted = (all[index] ?? []).toSorted((a, b) => a - b);
    const worst = sorted.at(-1) ?? 0;
    const mark = worst <= most ? ' ' : '✗';
    const each = (all[index] ?? []).join(' ');
    console.log(`  ${mark} ${what}: median ${sorted[sorted.length >> 1]}, worst ${worst}, bar ${most}   [${each}]`);
  });
}

/** The same with `above: auto`. */
function learning(scenario: Scenario): Scenario {
  const services = scenario.services.map((service) => {
    const { settings } = service;
    const { scale } = settings;
    return {
      ...service,
      settings: { ...settings, scale: { ...scale, latency: { ...scale.latency, aboveMs: 'auto' as const } } },
    };
  });
  return { ...scenario, services };
}

/** Prints each second, with what was decided in it. */
function print({ service, series, decisions }: ServiceOutcome): void {
  console.log(
    `${service}: second, replicas (starting, retiring), arrivals, answered, shed, in flight, queued, p50, p95`,
  );
  const left = [...decisions];
  const ms = (value: number | undefined) => (value === undefined ? '–' : `${Math.round(value)} ms`);
  for (const { second, ready, starting, retiring, arrivals, answered, shed, ...point } of series) {
    const { inFlight, queued, p50Ms, p95Ms, aboveMs } = point;
    const replicas = `${ready} (+${starting} −${retiring})`;
    const mark = (p95Ms ?? 0) > aboveMs ? ' over' : '';
    const counts = [arrivals, answered, shed, inFlight, queued].map((count) => String(count).padStart(5)).join('');
    console.log(`${String(second).padStart(5)}  ${replicas} ${counts}  ${ms(p50Ms)} ${ms(p95Ms)}${mark}`);
    while (left[0] !== undefined && Date.parse(left[0].at) - LOAD_BEGINS_MS < (second + 1) * 1000) {
      const { action, from, to, reason, verdicts, ...entry } = left.shift() as DecisionEntry;
      const against = verdicts.filter(({ verdict }) => verdict !== 'pass').map(({ detail }) => detail);
      const came = 'outcome' in entry && entry.outcome !== null ? `; ${entry.outcome.text}` : '';
      console.log(`       ${[`${action} ${from}→${to}: ${reason}`, ...against].join('; ')}${came}`);
    }
  }
}
