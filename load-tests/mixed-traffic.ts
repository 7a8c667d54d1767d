/**
 * Traffic as it comes to many small services (timers, random callers, bursts, rare callers, office hours), to the running
 * program with real processes and too little memory for all of them. Ends with what `costs` and `why` print.
 *
 *   npm run -s load:mixed                      ten minutes
 *   npm run -s load:mixed -- --minutes 60 --seed 2
 */
import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { createRandom, type Random, streamSeed } from '../src/simulate/random.ts';
import { type App, makeApp } from '../test/support/app.ts';
import { run } from '../test/support/command.ts';
import { RunningProxy } from '../test/support/proxy.ts';
import { request } from '../test/support/raw-client.ts';
import { makeWorkspace } from '../test/support/workspace.ts';
import { readOrRefuse } from './support/arguments.ts';

/** Memory of all replicas: one of these apps takes some 20 MiB, and there are nine. */
const BUDGET = '150MiB';

/** Who calls a service: when the next call comes after one, s. */
interface Caller {
  name: string;
  next: (random: Random, at: number) => number;
  standby?: 'auto';
}

const random = (mean: number) => (random: Random) => -mean * Math.log(1 - random());
const CALLERS: readonly Caller[] = [
  { name: 'timer-20s', next: (random) => 20 + 0.2 * random() },
  { name: 'timer-45s', next: (random) => 45 + 0.5 * random(), standby: 'auto' },
  { name: 'random-2s', next: random(2) },
  { name: 'random-30s', next: random(30) },
  { name: 'random-30s-paused', next: random(30), standby: 'auto' },
  // A dozen calls within some seconds, and a minute of nothing.
  { name: 'bursts', next: (chance) => (chance() < 0.9 ? random(0.4)(chance) : random(60)(chance)) },
  { name: 'rare', next: random(200) },
  { name: 'rare-paused', next: random(200), standby: 'auto' },
  // Two a second for a minute and a half, then as long nothing.
  { name: 'office', next: (chance, at) => (at % 180 < 90 ? random(0.5)(chance) : 180 - (at % 180)) },
];

const usage = 'usage: npm run -s load:mixed [-- --minutes N] [--seed N]';
const { minutes, seed } = readOrRefuse(usage, () => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { minutes: { ...text, default: '10' }, seed: { ...text, default: '1' } },
  });
  const count = (name: 'minutes' | 'seed') => {
    if (!/^[1-9]\d{0,4}$/.test(values[name])) throw new Error(`--${name} is a whole number from 1 on`);
    return Number(values[name]);
  };
  return { minutes: count('minutes'), seed: count('seed') };
});

const workspace = await makeWorkspace('/var/run/docker.sock');
try {
  const apps = await Promise.all(
    CALLERS.map(({ name, standby }) => makeApp(workspace, name, { ...(standby && { standby }) })),
  );
  const services = Object.fromEntries(apps.map(({ name, service }) => [name, service]));
  const config = { budget: { memory: BUDGET }, services };
  const proxy = await (await RunningProxy.launch({ workspace, config })).ready();
  console.log(`${minutes} min of calls to ${apps.length} services with ${BUDGET} for all of them, seed ${seed}\n`);
  const endsAt = performance.now() + minutes * 60_000;
  const answers = await Promise.all(apps.map((app, index) => calls(proxy, app, CALLERS[index] as Caller, endsAt)));
  const failed = answers.flat().filter((status) => status !== 200);
  console.log(`${answers.flat().length} calls, of which ${failed.length} failed${failed.length ? `: ${failed}` : ''}`);
  for (const args of [['status'], ['costs', '--since', '1h'], ...apps.map(({ name }) => ['why', name])]) {
    console.log(`\n$ pilotlight ${args.join(' ')}\n${await pilotlight(proxy, args)}`);
  }
  const told = proxy.events.filter(
    ({ type, message }) => type === 'over-memory' || message.includes('cheapest to lose'),
  );
  console.log(`\n${told.length} times replicas went to make room, or none could; the last of these events:`);
  for (const { at, message } of told.slice(-8)) console.log(`${at} ${message}`);
  await proxy.stop();
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  await rm(workspace.folder, { recursive: true, force: true });
}

/** Calls one service until the end. @returns the statuses of the answers; 0: there was none */
async function calls(proxy: RunningProxy, app: App, { name, next }: Caller, endsAt: number): Promise<number[]> {
  const chance = createRandom(streamSeed(seed, name));
  const answers: Promise<number>[] = [];
  for (let at = next(chance, 0); ; at += next(chance, at)) {
    const waitMs = endsAt - minutes * 60_000 + at * 1000 - performance.now();
    if (performance.now() + waitMs >= endsAt) break;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, waitMs)));
    answers.push(
      request(proxy.port, { host: app.host }).then(
        ({ status }) => status,
        () => 0,
      ),
    );
  }
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, endsAt - performance.now())));
  return Promise.all(answers);
}

async function pilotlight(proxy: RunningProxy, args: string[]): Promise<string> {
  const main = [process.execPath, 'src/pilotlight.ts', ...args, '--admin', `http://127.0.0.1:${proxy.adminPort}`];
  const [program = '', ...rest] = main;
  return (await run(program, rest, { env: { COLUMNS: '160' } })).trimEnd();
}
