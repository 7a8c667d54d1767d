/**
 * What clients of HTTP/2 that attack the proxy do to the others: a paced load on connections of its own, calm and beside
 * each of the attacks that are known, in turns. Prints p99 of the others, the CPU of the proxy, and what became of the
 * attackers.
 *
 * Usage: `npm run load:floods [-- SECONDS [ROUNDS [CONNECTIONS]]] [--only NAME]…` (3 s of calm and 3 s of flood in 5
 * rounds, by 4 attacking connections at once, and all attacks unless told).
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { freePort } from '../test/support/free-port.ts';
import { latencyQuantile, loadFor } from '../test/support/paced-load.ts';
import { ATTACKED, attacks } from './floods/attacks.ts';
import { countsIn, readOrRefuse } from './support/arguments.ts';
import {
  cpuMicros,
  median,
  pinSelf,
  residentMiB,
  startPinned,
  stop,
  stopAll,
  untilListening,
} from './support/process.ts';
import { startProxy } from './support/proxy.ts';

const usage = 'usage: npm run load:floods [-- SECONDS [ROUNDS [CONNECTIONS]]] [--only NAME]…';
const { values, positionals } = readOrRefuse(usage, () => {
  const read = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string', multiple: true, default: Object.keys(attacks) } },
  });
  const stranger = read.values.only.find((name) => !(name in attacks));
  if (stranger !== undefined) throw new Error(`no attack '${stranger}': ${Object.keys(attacks).join(', ')}`);
  return read;
});
const [seconds, rounds, connections] = countsIn(positionals, usage, 3, 5, 4);
const CORES = { proxy: 0, load: 1 };
/** Requests of the others per second. */
const RATE = 200;

/**
 * The others and their service have the core first, so that what they wait for is the proxy: the attackers, and the service
 * that they ask, run when nobody else does.
 */
const LAST = spawnSync('chrt', ['-V'], { stdio: 'ignore' }).status === 0 ? ['chrt', '-i', '0'] : ['nice', '-n', '19'];

/** One stretch of the others' load. */
interface Stretch {
  p99: number;
  failed: number;
  /** CPU of the proxy, share of a core. */
  cpu: number;
}

const folder = await mkdtemp(join(tmpdir(), 'pilotlight-floods-'));
try {
  pinSelf(CORES.load);
  const { port, pid } = await startProxy(folder, 'large.mjs', CORES, { http2: true }, {}, await attackedService());
  await others(port, pid);
  const head = ['attack', 'p99 calm, ms', 'p99 flood, ms', 'ratio', 'CPU %', 'frames/s', 'cut/s', 'failed', 'RSS MiB'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const name of values.only) {
    table.push([name, ...(await play(name, port, pid))]);
    process.stderr.write('.');
  }
  process.stderr.write('\n');
  console.log(
    `${connections} attacking connections beside ${RATE} requests/s of others; medians of ${rounds} rounds of ${seconds} s each`,
  );
  console.log(table.toString());
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}

/** The service that is attacked, as the configuration has it; it is up when this resolves. */
async function attackedService(): Promise<Record<string, unknown>> {
  const port = await freePort();
  const server = join(import.meta.dirname, 'servers/large.mjs');
  startPinned(CORES.load, [...LAST, process.execPath, server], { PORT: String(port) });
  await untilListening(port);
  return { [ATTACKED]: { routes: [{ host: ATTACKED }], endpoints: { static: [`127.0.0.1:${port}`] } } };
}

async function play(attack: string, port: number, pid: number): Promise<string[]> {
  const calm: Stretch[] = [];
  const flooded: Stretch[] = [];
  let frames = 0;
  let cut = 0;
  for (let round = 0; round < rounds; round++) {
    calm.push(await others(port, pid));
    const command = [...LAST, process.execPath, join(import.meta.dirname, 'floods/attacker.ts')];
    const env = { PORT: String(port), ATTACK: attack, CONNECTIONS: String(connections) };
    const attacker = startPinned(CORES.load, command, env);
    let said = '';
    attacker.stdout?.on('data', (chunk: Buffer) => {
      said = chunk.toString().trim().split('\n').at(-1) ?? said;
    });
    while (said === '') await sleep(20);
    const [framesBefore = 0, cutBefore = 0] = said.split(' ').map(Number);
    flooded.push(await others(port, pid));
    const [framesAfter = 0, cutAfter = 0] = said.split(' ').map(Number);
    frames += framesAfter - framesBefore;
    cut += cutAfter - cutBefore;
    await stop(attacker);
    await sleep(500);
  }
  const p99 = { calm: median(calm.map((each) => each.p99)), flooded: median(flooded.map((each) => each.p99)) };
  const ratio = median(flooded.map((each, round) => each.p99 / (calm[round]?.p99 ?? Number.NaN)));
  const cpu = [calm, flooded].map((all) => (100 * median(all.map((each) => each.cpu))).toFixed(0)).join(' → ');
  const failed = [...calm, ...flooded].reduce((sum, each) => sum + each.failed, 0);
  const perSecond = (count: number) => Math.round(count / (rounds * seconds)).toLocaleString('en');
  return [
    p99.calm.toFixed(1),
    p99.flooded.toFixed(1),
    ratio.toFixed(1),
    cpu,
    perSecond(frames),
    perSecond(cut),
    String(failed),
    residentMiB(pid).toFixed(0),
  ];
}

async function others(port: number, pid: number): Promise<Stretch> {
  const cpu = cpuMicros(pid);
  const startedAt = performance.now();
  const samples = await loadFor(seconds, { port, host: 'app', path: '/64', rate: RATE });
  const elapsed = performance.now() - startedAt;
  const failed = samples.filter(({ status }) => status !== 200).length;
  return { p99: latencyQuantile(samples, 0.99), failed, cpu: (cpuMicros(pid) - cpu) / 1000 / elapsed };
}
