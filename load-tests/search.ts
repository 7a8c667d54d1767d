/**
 * Tries to break the scaling policy, on virtual time: makes up services and loads, and tells those for which what has to
 * hold does not, as a command, with the decisions that were made.
 *
 *   npm run -s simulate:search                                       10 of each kind
 *   npm run -s simulate:search -- --runs 500 --seed 7 --only useless  many of one kind
 *   npm run -s simulate:search -- --shrink 60                        looks for a smaller one for 60 s each
 */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { decisionLines } from '../src/cli/simulate-text.ts';
import { asCommand, type Case, outcomesOf } from '../test/simulate/search/case.ts';
import { worlds } from '../test/simulate/search/worlds.ts';
import { readOrRefuse } from './support/arguments.ts';

const usage = 'usage: npm run -s simulate:search [-- --runs N --seed S --only NAME --shrink SECONDS]';
const { runs, seed, shrink, only } = readOrRefuse(usage, () => {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({ options: { runs: string, seed: string, only: string, shrink: string } });
  const whole = (text: string, what: string) => {
    if (!/^\d{1,9}$/.test(text)) throw new Error(`${what} is a whole number, found "${text}"`);
    return Number(text);
  };
  return {
    runs: whole(values.runs ?? '10', '--runs'),
    seed: whole(values.seed ?? '1', '--seed'),
    shrink: whole(values.shrink ?? '0', '--shrink'),
    only: values.only ?? '',
  };
});

let found = 0;
for (const { name, cases, faultsOf } of worlds) {
  if (!name.includes(only)) continue;
  const began = performance.now();
  for (let run = 0; run < runs; run++) {
    let least: { of: Case; faults: readonly string[] } | undefined;
    const property = fc.asyncProperty(cases, async (of) => {
      const faults = await faultsOf(of);
      if (faults.length === 0) return true;
      least = { of, faults };
      return false;
    });
    const bound = shrink === 0 ? { endOnFailure: true } : { skipAllAfterTimeLimit: shrink * 1000 };
    await fc.check(property, { seed: seed * 100_000 + run, numRuns: 1, ...bound });
    if (least === undefined) continue;
    found++;
    console.log(`\n${name}, run ${run}:\n${asCommand(least.of)}`);
    for (const fault of least.faults) console.log(`  ${fault}`);
    console.log(`  ${JSON.stringify(least.of)}`);
    const services = await outcomesOf(least.of);
    for (const line of decisionLines([{ policy: 'pilotlight', seed: least.of.seed, services }])) console.log(line);
  }
  console.log(`${name}: ${runs} runs in ${Math.round((performance.now() - began) / 1000)} s`);
}
console.log(found === 0 ? 'nothing found' : `${found} found`);
process.exitCode = found === 0 ? 0 : 1;
