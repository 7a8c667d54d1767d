/**
 * Tries generated and mutated messages on the real data plane for as long as one likes:
 * `npm run fuzz -- [--cases 1000000] [--seed N] [--only requests|responses]`. Exits 1 behind the first failing case. It
 * names the seed of its batch: `--seed` with that and `--cases 500` tries it again.
 */
import { parseArgs } from 'node:util';
import { openSockets } from '../harness/remains.ts';
import { BATCH, type Campaign, describeTally, hunt, type Tally } from './campaign.ts';
import { requests } from './requests.ts';
import { responses } from './responses.ts';

/** Cases between two lines of progress. */
const REPORT_EVERY = 10_000;

const say = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const hunts: Record<string, (campaign: Campaign) => Promise<Tally>> = {
  requests: (campaign) => hunt(requests, campaign),
  responses: (campaign) => hunt(responses, campaign),
};

function standing(): string {
  return `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MiB RSS, ${openSockets()} sockets`;
}

async function run(name: string, cases: number, seed: number): Promise<void> {
  const from = performance.now();
  const elapsed = () => `${Math.round((performance.now() - from) / 1000)} s`;
  let due = REPORT_EVERY;
  say(`${name}: seed ${seed}, ${standing()}`);
  const tally = await hunts[name]?.({
    cases,
    seed,
    onProgress: (now) => {
      if (now.cases < due) return;
      due += REPORT_EVERY;
      say(`${name}: ${describeTally(now)} · ${elapsed()}, ${standing()}`);
    },
  });
  if (tally !== undefined) say(`${name}: done: ${describeTally(tally)} · ${elapsed()}, ${standing()}`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      only: { type: 'string' },
    },
  });
  const cases = Number(values.cases);
  const seed = Number(values.seed);
  const names = values.only === undefined ? Object.keys(hunts) : [values.only];
  if (!Number.isInteger(cases) || !Number.isInteger(seed) || names.some((name) => hunts[name] === undefined)) {
    say(`usage: --cases N --seed N --only ${Object.keys(hunts).join('|')}`);
    return 2;
  }
  // Turn by turn, so that a short look sees both.
  const each = Math.ceil(cases / names.length / BATCH) * BATCH;
  try {
    for (const name of names) await run(name, Math.min(each, cases), seed);
    return 0;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

process.exitCode = await main();
