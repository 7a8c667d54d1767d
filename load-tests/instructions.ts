/**
 * Counts the instructions that the proxy takes for a small request on a kept connection, by function: its own, Node's and
 * V8's, not those of the kernel. Valgrind counts them, so that nothing else on the machine has a part in it; two runs differ
 * by a hundredth or two, for what V8 compiles when. A minute for each state.
 *
 *   npm run -s load:instructions                      what takes most
 *   npm run -s load:instructions -- --against REF     beside another revision (or checkout), and what differs most
 *   npm run -s load:instructions -- --requests 20000 --top 30
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import autocannon from 'autocannon';
import Table from 'cli-table3';
import { freePort } from '../test/support/free-port.ts';
import { type Checkout, checkoutAt, checkoutOf, OWN_ROOT } from './bench/checkout.ts';
import { type Profile, profileOf, totalOf } from './instructions/profile.ts';
import { readOrRefuse } from './support/arguments.ts';
import { startPinned, stop, stopAll, untilListening } from './support/process.ts';

const usage = 'usage: npm run -s load:instructions [-- --requests N --top N --against REF]';
const { requests, top, against } = readOrRefuse(usage, () => {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({ options: { requests: string, top: string, against: string } });
  const whole = (text: string, what: string) => {
    if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${what} is a whole number from 1, found "${text}"`);
    return Number(text);
  };
  return {
    requests: whole(values.requests ?? '20000', '--requests'),
    top: whole(values.top ?? '30', '--top'),
    against: values.against === undefined ? undefined : checkoutOf(values.against),
  };
});
if (spawnSync('valgrind', ['--version'], { stdio: 'ignore' }).status !== 0) {
  console.error('valgrind is missing; on Debian: apt-get install --no-install-recommends valgrind');
  process.exit(2);
}
const CONNECTIONS = 16;
const CORES = { proxy: 0, load: 1 };

try {
  const own = checkoutAt(OWN_ROOT);
  const now = await countIn(own);
  const before = against && (await countIn(against));
  const each = (profile: Profile, name: string) => (profile.get(name) ?? 0) / requests;
  const names = [...new Set([...now.keys(), ...(before?.keys() ?? [])])];
  const rows = names.map((name) => ({ name, now: each(now, name), before: before && each(before, name) }));
  const weight = (row: (typeof rows)[number]) => (row.before === undefined ? row.now : Math.abs(row.now - row.before));
  const table = new Table({
    head: [own.name, ...(against ? [against.name] : []), 'function'],
    colAligns: against ? ['right', 'right'] : ['right'],
    style: { head: [], border: [] },
  });
  const cell = (count: number) => Math.round(count).toLocaleString('en');
  for (const row of rows.toSorted((a, b) => weight(b) - weight(a)).slice(0, top))
    table.push([cell(row.now), ...(row.before === undefined ? [] : [cell(row.before)]), row.name.slice(0, 100)]);
  console.log(`instructions per request, of ${requests.toLocaleString('en')} on ${CONNECTIONS} connections`);
  console.log(table.toString());
  const total = totalOf(now);
  const ratio = before === undefined ? '' : `: ${(total / totalOf(before)).toFixed(3)} of what it was before`;
  console.log(`${cell(total / requests)} instructions per request${ratio}`);
} finally {
  await stopAll();
}

/** The functions that ran for so many requests, once the proxy was warm. */
async function countIn({ command }: Checkout): Promise<Profile> {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-instructions-'));
  try {
    const [upstream, port, admin] = [await freePort(), await freePort(), await freePort()];
    const server = join(import.meta.dirname, 'servers/upstream.mjs');
    const service = startPinned(CORES.load, [process.execPath, server], { PORT: String(upstream) });
    await untilListening(upstream);
    const config = join(folder, 'pilotlight.json');
    const settings = {
      listen: [{ address: `127.0.0.1:${port}` }],
      admin: { address: `127.0.0.1:${admin}` },
      state: join(folder, 'state'),
      services: { app: { routes: [{ path: '/' }], endpoints: { static: [`127.0.0.1:${upstream}`] } } },
    };
    await writeFile(config, JSON.stringify(settings));
    const counter = ['valgrind', '--tool=callgrind', '--instr-atstart=no', `--callgrind-out-file=${folder}/counted`];
    const named = ['--perf-basic-prof', `--perf-basic-prof-path=${folder}`];
    const proxy = startPinned(CORES.proxy, [...counter, process.execPath, ...named, ...command, 'run', '-c', config]);
    await untilListening(port);
    const pid = String(proxy.pid);
    await ask(port, 2 * requests);
    tell('-i', 'on', pid);
    await ask(port, requests);
    tell('-d', pid);
    await stop(proxy);
    await stop(service);
    const dump = (await readdir(folder)).find((name) => name.startsWith('counted.')) ?? 'counted';
    const annotate = ['--threshold=100', '--auto=no', join(folder, dump)];
    const { stdout } = spawnSync('callgrind_annotate', annotate, { encoding: 'utf8', maxBuffer: 2 ** 28 });
    return profileOf(stdout, await readFile(join(folder, `perf-${pid}.map`), 'utf8'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function tell(...args: string[]): void {
  const { status, stderr } = spawnSync('callgrind_control', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`callgrind_control ${args.join(' ')}: ${stderr.trim()}`);
}

async function ask(port: number, amount: number): Promise<void> {
  const { errors, non2xx } = await autocannon({ url: `http://127.0.0.1:${port}/`, connections: CONNECTIONS, amount });
  if (errors + non2xx > 0) throw new Error(`${errors + non2xx} requests failed`);
}
