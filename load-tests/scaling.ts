/**
 * Runs loads with a known best on the real program, with real apps and clients who send whether or not they are answered,
 * and prints what scaling came to, beside what the simulation says of the same load. All of them take about an hour and
 * 10 min; one takes a minute or two. Exits 1 where a figure is not what it may be.
 *
 *   npm run -s load:scaling -- --list
 *   npm run -s load:scaling -- --only lock --why    that one, or all whose names begin so, with `pilotlight why` at the end
 *   npm run -s load:scaling -- --only example --journal decisions.jsonl   the same, and keeps the (last) journal
 *   npm run -s load:scaling -- --simulate           the simulation alone, in seconds
 */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { simulate } from '../src/simulate/simulate.ts';
import { type DockerEngine, findOrStartDocker } from '../test/support/docker-engine.ts';
import { play } from './scaling/play.ts';
import { accountOf, isHeld, type Result, tableOf } from './scaling/report.ts';
import type { ScalingScenario } from './scaling/scenario.ts';
import { failures } from './scaling/scenarios/failures.ts';
import { moreHelps } from './scaling/scenarios/more-helps.ts';
import { noHelp } from './scaling/scenarios/no-help.ts';
import { simulationOf } from './scaling/settings.ts';
import { readOrRefuse } from './support/arguments.ts';

const SEEDS = [1, 2, 3, 4, 5];

const usage = 'usage: npm run -s load:scaling [-- --only NAME --seed N --why --journal FILE --simulate --list]';
const { values } = readOrRefuse(usage, () =>
  parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [''] },
      seed: { type: 'string', default: '1' },
      why: { type: 'boolean', default: false },
      journal: { type: 'string' },
      simulate: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
    },
  }),
);
const chosen = [...moreHelps, ...noHelp, ...failures].filter(
  ({ name, notSimulated }) =>
    values.only.some((only) => only === '' || `${name} `.startsWith(`${only} `)) &&
    !(values.simulate && notSimulated !== undefined),
);
if (chosen.length === 0 || !/^[1-9]\d{0,8}$/.test(values.seed)) {
  console.error(usage);
  process.exit(2);
}
if (values.list) {
  for (const { name, shows, asked, seconds } of chosen) console.log(`${name} (${seconds} s): ${shows}\n  ${asked}`);
  process.exit(0);
}

const results: Result[] = [];
let docker: DockerEngine | undefined;
try {
  for (const scenario of chosen) results.push(await measure(scenario));
} finally {
  await docker?.stop();
}
console.log();
for (const line of tableOf(results)) console.log(line);
process.exit(results.every(isHeld) ? 0 : 1);

async function measure(scenario: ScalingScenario): Promise<Result> {
  const { name, shows, asked, seconds, place } = scenario;
  console.log(`${name}: ${shows}\n  ${asked}; ${seconds} s, ${place ?? 'processes'}`);
  const simulated = [];
  if (scenario.notSimulated === undefined) {
    for (const seed of SEEDS) simulated.push((await simulate(simulationOf(scenario, seed), 'pilotlight')).services);
  }
  const played = values.simulate ? undefined : await playFor(scenario);
  const real = played?.services ?? simulated[0] ?? [];
  const result = { scenario, real, simulated, replayed: played?.replayed };
  for (const line of accountOf(result)) console.log(line);
  if (values.why) for (const text of played?.why ?? []) console.log(text);
  if (values.journal !== undefined && played !== undefined) await writeFile(values.journal, played.journal);
  return result;
}

async function playFor(scenario: ScalingScenario) {
  if (scenario.place !== undefined) docker ??= await findOrStartDocker();
  return play(scenario, Number(values.seed), docker?.socket ?? '');
}
