/**
 * Prints what scaling comes to under the loads that it is held to, on virtual time: median and worst of the seeds,
 * beside the most that it may be. Whatever is not held is marked.
 *
 *   npm run -s simulate:bars                         all loads, 10 seeds
 *   npm run -s simulate:bars -- --seeds 3 --only step
 *   npm run -s simulate:bars -- --policy hpa         (pilotlight, hpa, kpa)
 */
import { parseArgs } from 'node:util';
import type { Policy } from '../src/simulate/policy.ts';
import { hpa } from '../src/simulate/rivals/hpa.ts';
import { kpa } from '../src/simulate/rivals/kpa.ts';
import { simulate } from '../src/simulate/simulate.ts';
import { bars } from '../test/simulate/bars.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    policy: { type: 'string', default: 'pilotlight' },
  },
});
const policies: Record<string, () => Policy> = { pilotlight: () => 'pilotlight', hpa, kpa: () => kpa(1) };
const policy = policies[values.policy];
if (policy === undefined) throw new Error(`no such policy: ${values.policy}`);
const seeds = Array.from({ length: Number(values.seeds) }, (_, index) => index + 1);

for (const { name, scenario, figures } of bars) {
  if (!name.includes(values.only)) continue;
  const began = performance.now();
  const all: number[][] = figures.map(() => []);
  for (const seed of seeds) {
    const { services } = await simulate(scenario(seed), policy());
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
