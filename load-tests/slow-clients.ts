/**
 * What slow clients do to the others, and to the memory:
 * - slowloris: connections that send a head a byte a second, beside a paced load on connections of its own; its p99
 *   before and during, in several rounds;
 * - slow readers: clients that ask for 100 MiB each and read nothing; what the proxy holds for them, and that they are
 *   cut off when `timeouts.send` has passed.
 *
 * Usage: `npm run load:slow [-- ROUNDS [SECONDS]]` (5 rounds of 12 s before and 12 s during, unless told: longer
 * than `timeouts.head`, so that all of the slow ones are cut off once and come again).
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Table from 'cli-table3';
import { latencyOf, PacedLoad } from '../test/support/paced-load.ts';
import { countsFrom } from './support/arguments.ts';
import { cpuMicros, median, pinSelf, residentMiB, startPinned, stop, stopAll } from './support/process.ts';
import { startProxy } from './support/proxy.ts';

const [rounds, seconds] = countsFrom('usage: npm run load:slow [-- ROUNDS [SECONDS]]', 5, 12);
const CORES = { proxy: 0, load: 1 };
const SLOW = 2000;
const RATE = 200;
/** Slow readers come in lots of as many. */
const READERS = 100;
const LOTS = 4;
/** Until the kernel's buffers of a lot are full. */
const SETTLE_S = 4;
const ANSWER = 100 * 1024 * 1024;
const SEND_TIMEOUT_S = 25;
const GIVE_UP_S = 60;

/** Of one stretch of the paced load. */
interface Stretch {
  p50: number;
  p99: number;
  failed: number;
  /** CPU of the proxy, share of a core. */
  cpu: number;
  rss: number;
}

const folder = await mkdtemp(join(tmpdir(), 'pilotlight-slow-'));
try {
  pinSelf(CORES.load);
  const { port, pid } = await startProxy(folder, 'large.mjs', CORES, { timeouts: { send: `${SEND_TIMEOUT_S}s` } });
  await paced(port, pid, 3);
  await slowloris(port, pid);
  await slowReaders(port, pid);
} finally {
  await stopAll();
  await rm(folder, { recursive: true, force: true });
}

async function slowloris(port: number, pid: number): Promise<void> {
  const before: Stretch[] = [];
  const during: Stretch[] = [];
  let cutOff = 0;
  for (let round = 0; round < rounds; round++) {
    before.push(await paced(port, pid, seconds));
    const attack = startPinned(CORES.load, [process.execPath, join(import.meta.dirname, 'servers/slowloris.mjs')], {
      PORT: String(port),
      COUNT: String(SLOW),
    });
    let said = '';
    attack.stdout?.on('data', (chunk: Buffer) => {
      said = chunk.toString().trim().split('\n').at(-1) ?? said;
    });
    while (Number(said.split(' ')[0] ?? 0) < SLOW * 0.95) await sleep(200);
    during.push(await paced(port, pid, seconds));
    cutOff += Number(said.split(' ')[1]);
    await stop(attack);
    await sleep(1000);
  }
  console.log(`slowloris: ${SLOW} connections with a byte a second, beside ${RATE} requests/s of others`);
  console.log(`${rounds} rounds of ${seconds} s each way; ${cutOff} slow ones were closed with 408`);
  const head = ['round', 'p50 ms', 'p99 ms', 'p50 ms', 'p99 ms', 'p99 ratio', 'CPU %', 'RSS MiB'];
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(['', { colSpan: 2, content: 'before' }, { colSpan: 2, content: 'during' }, '', '', '']);
  const ratios: number[] = [];
  for (const [round, without] of before.entries()) {
    const under = during[round] as Stretch;
    const ratio = under.p99 / without.p99;
    ratios.push(ratio);
    const latencies = [without.p50, without.p99, under.p50, under.p99].map((ms) => ms.toFixed(2));
    const cost = `${(without.cpu * 100).toFixed(1)} → ${(under.cpu * 100).toFixed(1)}`;
    table.push([
      round + 1,
      ...latencies,
      ratio.toFixed(2),
      cost,
      `${without.rss.toFixed(0)} → ${under.rss.toFixed(0)}`,
    ]);
  }
  console.log(table.toString());
  const failed = [...before, ...during].reduce((sum, stretch) => sum + stretch.failed, 0);
  console.log(
    `p99 during is ${median(ratios).toFixed(2)} times p99 before (median of rounds); ${failed} requests failed\n`,
  );
}

async function paced(port: number, pid: number, length: number): Promise<Stretch> {
  const cpu = cpuMicros(pid);
  const startedAt = performance.now();
  const load = PacedLoad.start({ port, host: 'app', path: '/64', rate: RATE });
  await sleep(length * 1000);
  const samples = await load.stop();
  const elapsed = performance.now() - startedAt;
  const latencies = samples.map(latencyOf).sort((a, b) => a - b);
  const at = (quantile: number) => latencies[Math.floor(latencies.length * quantile)] ?? Number.NaN;
  const failed = samples.filter(({ status }) => status !== 200).length;
  return { p50: at(0.5), p99: at(0.99), failed, cpu: (cpuMicros(pid) - cpu) / 1000 / elapsed, rss: residentMiB(pid) };
}

async function slowReaders(port: number, pid: number): Promise<void> {
  console.log(`slow readers: clients ask for ${ANSWER / 1024 / 1024} MiB each and read nothing`);
  // The first lot includes what the program itself grows by while 500 MiB pass; the second tells what one client costs.
  const others = await openConnections(port);
  const resident = [residentMiB(pid)];
  const readers: Socket[] = [];
  for (let lot = 0; lot < LOTS; lot++) {
    readers.push(...(await Promise.all(Array.from({ length: READERS }, () => slowReader(port)))));
    await sleep(SETTLE_S * 1000);
    resident.push(residentMiB(pid));
  }
  const open = (await openConnections(port)) - others;
  const [before = 0] = resident;
  const steps = resident.slice(1).map((mib, lot) => `${READERS * (lot + 1)}: ${mib.toFixed(1)} MiB`);
  const each = ((resident.at(-1) ?? 0) - before) / readers.length;
  console.log(
    `RSS without them ${before.toFixed(1)} MiB, with ${steps.join(', ')}: ${(each * 1024).toFixed(0)} KiB each`,
  );
  const startedAt = performance.now();
  const passed = () => (performance.now() - startedAt) / 1000;
  while ((await openConnections(port)) > 0 && passed() < GIVE_UP_S) await sleep(50);
  for (const reader of readers) reader.destroy();
  console.log(
    `${open} of ${readers.length} were connected; ${await openConnections(port)} were left ${passed().toFixed(1)} s later; ` +
      `timeouts.send is ${SEND_TIMEOUT_S} s from when the kernel took no more`,
  );
}

function slowReader(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      // Never read from: no handler takes its data.
      socket.write(`GET /${ANSWER} HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n`, () => resolve(socket));
    });
    socket.once('error', reject);
    socket.on('error', () => {});
  });
}

/** Connections of a port of this machine that are established on its own side, as the kernel counts. */
async function openConnections(port: number): Promise<number> {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = (await readFile('/proc/net/tcp', 'utf8')).split('\n');
  return lines.filter((line) => {
    const [, address, , state] = line.trim().split(/\s+/);
    return address === local && state === '01';
  }).length;
}
