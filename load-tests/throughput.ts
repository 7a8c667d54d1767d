/**
 * Two things at once, in one run:
 * - warm throughput of Pilotlight beside the http-proxy package with a keep-alive agent, and beside no proxy at all;
 *   rounds interleaved, the proxy on one core, load and upstream on the other;
 * - 100 concurrent requests at a service that is asleep.
 *
 * Usage: `npm run load [-- ROUNDS [SECONDS]]` (5 rounds of 4 s unless told).
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import autocannon from 'autocannon';
import Table from 'cli-table3';
import { freePort } from '../test/support/free-port.ts';
import { countsFrom } from './support/arguments.ts';
import { cpuMicros, median, pinSelf, startPinned, stopAll, untilListening } from './support/process.ts';

const [rounds, seconds] = countsFrom('usage: npm run load [-- ROUNDS [SECONDS]]', 5, 4);
const CONNECTIONS = 64;
const COLD_REQUESTS = 100;
const LOAD_CORE = 1;
const PROXY_CORE = 0;

const here = import.meta.dirname;
const folder = await mkdtemp(join(tmpdir(), 'pilotlight-load-'));

interface Subject {
  name: string;
  port: number;
  pid: number | undefined;
  rates: number[];
  p50: number[];
  p99: number[];
  cpu: number[];
  failed: number;
}

try {
  pinSelf(LOAD_CORE);
  const subjects = await start();
  for (let round = 0; round < rounds; round++) for (const subject of subjects) await measure(subject);
  printWarm(subjects);
  await measureCold(subjects[0]?.port ?? 0);
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}

async function start(): Promise<Subject[]> {
  const [upstream, own, other, admin] = [await freePort(), await freePort(), await freePort(), await freePort()];
  startPinned(LOAD_CORE, [process.execPath, join(here, 'servers/upstream.mjs')], { PORT: String(upstream) });
  await untilListening(upstream);

  const config = join(folder, 'pilotlight.json');
  const app = { process: { command: [process.execPath, join(here, 'servers/upstream.mjs')], env: { PORT: '{port}' } } };
  const settings = {
    listen: [{ address: `127.0.0.1:${own}` }],
    admin: { address: `127.0.0.1:${admin}` },
    state: join(folder, 'state'),
    services: {
      warm: { routes: [{ path: '/' }], endpoints: { static: [`127.0.0.1:${upstream}`] } },
      cold: { routes: [{ path: '/cold' }], run: app },
    },
  };
  await writeFile(config, JSON.stringify(settings));
  const main = join(here, '../src/pilotlight.ts');
  const pilotlight = startPinned(PROXY_CORE, [process.execPath, main, 'run', '-c', config]);
  const baseline = startPinned(PROXY_CORE, [process.execPath, join(here, 'servers/http-proxy.mjs')], {
    PORT: String(other),
    TARGET: `http://127.0.0.1:${upstream}`,
  });
  await Promise.all([untilListening(own), untilListening(other)]);
  const subject = (name: string, port: number, pid: number | undefined): Subject => {
    return { name, port, pid, rates: [], p50: [], p99: [], cpu: [], failed: 0 };
  };
  return [
    subject('pilotlight', own, pilotlight.pid),
    subject('http-proxy', other, baseline.pid),
    subject('direct', upstream, undefined),
  ];
}

async function measure(subject: Subject): Promise<void> {
  const before = subject.pid === undefined ? 0 : cpuMicros(subject.pid);
  const result = await autocannon({
    url: `http://127.0.0.1:${subject.port}/`,
    connections: CONNECTIONS,
    duration: seconds,
  });
  const after = subject.pid === undefined ? 0 : cpuMicros(subject.pid);
  subject.rates.push(result.requests.total / result.duration);
  subject.p50.push(result.latency.p50);
  subject.p99.push(result.latency.p99);
  subject.cpu.push((after - before) / result.requests.total);
  subject.failed += result.errors + result.timeouts + result.non2xx;
}

function printWarm(subjects: readonly Subject[]): void {
  console.log(
    `warm, ${CONNECTIONS} keep-alive connections, 64-byte answers, ${rounds} rounds of ${seconds} s, medians`,
  );
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}\n`);
  const head = ['', 'requests/s', 'min–max', 'p50 ms', 'p99 ms', 'CPU µs/request', 'failed'];
  const table = new Table({ head, style: { head: [], border: [] } });
  for (const { name, pid, rates, p50, p99, cpu, failed } of subjects) {
    const spread = `${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}`;
    const cost = pid === undefined ? '–' : median(cpu).toFixed(1);
    table.push([name, median(rates).toFixed(0), spread, median(p50), median(p99), cost, failed]);
  }
  console.log(table.toString());
  const [own, other] = subjects;
  if (own !== undefined && other !== undefined) {
    const ratios = own.cpu.map((cost, round) => (other.cpu[round] ?? Number.NaN) / cost);
    console.log(
      `http-proxy needs ${median(ratios).toFixed(1)} times the CPU of Pilotlight (median of the rounds' ratios)\n`,
    );
  }
}

/** All at once at a service that is asleep: one start, everyone answered. */
async function measureCold(port: number): Promise<void> {
  const result = await autocannon({
    url: `http://127.0.0.1:${port}/cold`,
    connections: COLD_REQUESTS,
    amount: COLD_REQUESTS,
  });
  const { latency } = result;
  console.log(
    `cold: ${COLD_REQUESTS} concurrent requests at a sleeping service: ${result['2xx']} × 2xx, ${result.non2xx} other, ` +
      `${result.errors + result.timeouts} failed; latency min ${latency.min} ms, p50 ${latency.p50} ms, max ${latency.max} ms`,
  );
}
