/**
 * One leader of many proxies: `npm run load:cluster [-- EDGES [SERVICES [BUSY]]]`. Lets 1,000 edges of 20 members, unless
 * told otherwise, attach to a control plane with 10,000 services over real connections. The edges are made up, in a
 * process of their own: each reports 20 busy services each second. Prints what the leader uses of a core without edges,
 * with edges that report nothing, and with those that do; how large a table and one change are; how long a change takes until
 * every edge has acknowledged it; and what edges that are lost and back cost. All CPU is the leader's unless it is said to be
 * the edges'. Where edges do not attach, or do not acknowledge, in time, it says so and ends with 1.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClusterWire } from '../src/control/cluster/wire/cluster-wire.ts';
import { pack } from '../src/control/cluster/wire/frame.ts';
import { partsOf, type TableMessage } from '../src/control/cluster/wire/table-parts.ts';
import { createControl } from '../src/control/create-control.ts';
import type { AttachEdge } from '../src/model/cluster.ts';
import type { DiscoverySource, EndpointSet } from '../src/model/discovery.ts';
import type { ControlMessage, EdgeMessage } from '../src/model/link.ts';
import { type Metrics, silentLogger } from '../src/model/observe.ts';
import { createChannel } from '../src/util/channel.ts';
import { systemClock } from '../src/util/clock.ts';
import { testService, testSettings } from '../test/control/support/settings.ts';
import { countsFrom } from './support/arguments.ts';
import { cpuMicros, residentMiB } from './support/process.ts';

const [edges, services, busy] = countsFrom(
  'usage: npm run load:cluster [-- EDGES [SERVICES [BUSY]]]',
  1000,
  10_000,
  20,
);
const EDGES_EACH = 50;
const ENDPOINTS = 3;
/** How long each figure is taken, ms. */
const MEASURE_MS = 10_000;
/** How often it is looked how long the leader's turns are, ms. */
const TURN_MS = 20;
/** Changes whose way to all edges is timed, one after the other. */
const CHANGES = 100;
/** Until all edges have attached, and until all have acknowledged a change, ms; links may lapse and come back meanwhile. */
const ATTACH_MS = 180_000;
const CHANGE_MS = 60_000;
/** All changes are timed within this, or no more of them are, ms. */
const CHANGES_MS = 120_000;
const SECRET = 'a secret of this load test';

/** The most CPU that the leader used between two looks, ms: for so long nobody else was heard. */
let longestTurn = 0;
let cpuBefore = process.cpuUsage();
setInterval(() => {
  const { user, system } = process.cpuUsage(cpuBefore);
  cpuBefore = process.cpuUsage();
  longestTurn = Math.max(longestTurn, (user + system) / 1000);
}, TURN_MS).unref();

let emit: (set: EndpointSet) => void = () => undefined;
const source: DiscoverySource = {
  name: 'static',
  title: 'a made-up source',
  follow: () => undefined,
  run: (take) => {
    emit = take;
  },
  answered: () => true,
  staleness: () => 0,
};
const noMetrics: Metrics = { count() {}, gauge() {}, observe() {}, forget() {} };
const names = Array.from({ length: services }, (_, index) => `service-${index}`);
const control = createControl({
  settings: testSettings(names.map((name) => testService(name, { run: undefined, endpoints: { static: {} } }))),
  clock: systemClock,
  logger: silentLogger,
  metrics: noMetrics,
  sources: [source],
  runtimes: [],
  instance: 'load',
});
await control.start(new AbortController().signal);
for (const [index, name] of names.entries()) emit(setOf(name, index, 1));

/** By edge, the last version that it acknowledged: what an edge gets that attaches anew is of a later one. */
const acknowledged = new Map<string, number>();
let onAcknowledged: ((edge: string, version: number) => void) | undefined;
const attached = new Set<string>();
let lapses = 0;
const attach: AttachEdge = (edge, link, end) => {
  if (attached.has(edge)) lapses++;
  attached.add(edge);
  const { onMessage } = link;
  link.onMessage = (listener) =>
    onMessage.call(link, (message) => {
      if (message.type === 'ack') {
        acknowledged.set(edge, message.version);
        onAcknowledged?.(edge, message.version);
      } else listener(message);
    });
  control.attach(edge, link, end);
};
const wire = createClusterWire({
  clock: systemClock,
  logger: silentLogger,
  cluster: 'load',
  secret: SECRET,
  member: 'leader',
  advertise: { host: '127.0.0.1', port: 0 },
  build: 'load',
});
const { port } = await wire.listen({ host: '127.0.0.1', port: 0 });
wire.relay.lead(1, attach);

console.log(`${edges} edges of ${edges / EDGES_EACH} members, ${services} services of ${ENDPOINTS} endpoints each\n`);
let isWhole = false;
try {
  await measure();
  isWhole = true;
} catch (error) {
  console.error(`it did not come to its end: ${(error as Error).message}`);
} finally {
  print('edges that attached again, as their link lapsed', String(lapses));
  await wire.close();
  await control.shutdown(AbortSignal.timeout(1000));
}
process.exit(isWhole ? 0 : 1);

function print(what: string, figure: string): void {
  console.log(`${what.padEnd(62)} ${figure.padStart(16)}`);
}

async function measure(): Promise<void> {
  await sleep(3000);
  await sizes();
  print('CPU of the leader without edges, ms a second', await cpu());
  await during(0, async () => {
    print(`CPU with ${edges} edges, whose reports are empty`, await cpu());
    await fanOut();
  });
  for (const each of [1, busy]) {
    await during(each, async () => {
      const kind = `CPU with ${edges} edges that report ${each} busy service${each === 1 ? '' : 's'} each`;
      print(kind, await cpu());
    });
  }
  print('memory of the leader, MiB', residentMiB(process.pid).toFixed(0));
}

/** Of the table, as an edge gets it that attaches here. */
async function sizes(): Promise<void> {
  const [mine, theirs] = createChannel<EdgeMessage, ControlMessage>();
  const got = new Promise<ControlMessage>((resolve) => theirs.onMessage(resolve));
  const put = cpuOf(() => control.attach('here', mine));
  const table = (await got) as TableMessage;
  theirs.close();
  print('table, bytes of JSON', String(JSON.stringify(table).length));
  print('CPU for putting it together, in one turn, ms', put.ms.toFixed(0));
  const parts = partsOf(table);
  const turns: number[] = [];
  let bytes = 0;
  for (let isLast = false; !isLast; ) {
    const { ms, value } = cpuOf(() => parts.at(turns.length));
    turns.push(ms);
    bytes += value.packed.bytes.length;
    isLast = value.isLast;
  }
  const all = turns.reduce((sum, ms) => sum + ms, 0);
  print(`CPU for its ${turns.length} pieces, once for all edges, ms`, all.toFixed(0));
  print('… the longest of those turns', Math.max(...turns).toFixed(0));
  print('… as they pass, compressed, bytes', String(bytes));
}

function cpuOf<Value>(act: () => Value): { ms: number; value: Value } {
  const before = process.cpuUsage();
  const value = act();
  const { user, system } = process.cpuUsage(before);
  return { ms: (user + system) / 1000, value };
}

/** Edges are there while `act` runs. */
async function during(each: number, act: () => Promise<void>): Promise<void> {
  attached.clear();
  acknowledged.clear();
  const began = performance.now();
  const before = process.cpuUsage();
  longestTurn = 0;
  const child = startMembers(each);
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => reject(new Error(`the members ended with ${code ?? signal}`)));
  });
  try {
    const all = new Promise<void>((resolve) => child.stdout?.once('data', () => resolve()));
    await Promise.race([within(ATTACH_MS, all, () => `${acknowledged.size} of all edges have their table`), ended]);
    const took = performance.now() - began;
    const { user, system } = process.cpuUsage(before);
    if (each === 0) {
      print(`until all ${attached.size} edges have their table, ms`, took.toFixed(0));
      print('… CPU of the leader for that', ((user + system) / 1000).toFixed(0));
      print('… its longest turn, ms of CPU', longestTurn.toFixed(0));
      print('… CPU of all edges for that', (cpuMicros(child.pid as number) / 1000).toFixed(0));
    }
    await Promise.race([sleep(2000).then(act), ended]);
    longestTurn = 0;
  } finally {
    ended.catch(() => undefined);
    child.kill('SIGKILL');
    await sleep(1000);
    if (each === 0) print('CPU for the loss of all edges at once, longest turn', longestTurn.toFixed(0));
  }
}

/** @throws what is told of it, where it takes longer than so many ms */
async function within<Value>(ms: number, what: Promise<Value>, told: () => string): Promise<Value> {
  const limit = new AbortController();
  const late = sleep(ms, undefined, { signal: limit.signal }).then(() => {
    throw new Error(`${told()} after ${ms / 1000} s`);
  });
  try {
    return await Promise.race([what, late]);
  } finally {
    limit.abort();
    late.catch(() => undefined);
  }
}

function startMembers(each: number): ChildProcess {
  const program = join(import.meta.dirname, 'cluster/members.ts');
  const members = String(Math.ceil(edges / EDGES_EACH));
  const args = [program, String(port), SECRET, members, String(EDGES_EACH), String(each)];
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

/** CPU time of this process per second. */
async function cpu(): Promise<string> {
  const began = performance.now();
  const before = process.cpuUsage();
  await sleep(MEASURE_MS);
  const { user, system } = process.cpuUsage(before);
  return ((user + system) / (performance.now() - began)).toFixed(0);
}

async function fanOut(): Promise<void> {
  const times: number[] = [];
  const before = process.cpuUsage();
  const endAt = performance.now() + CHANGES_MS;
  for (let change = 0; change < CHANGES && performance.now() < endAt; change++) {
    const known = Math.max(...acknowledged.values());
    const missing = new Set(attached);
    const began = performance.now();
    const all = new Promise<void>((resolve) => {
      onAcknowledged = (edge, version) => {
        if (version > known) missing.delete(edge);
        if (missing.size === 0) resolve();
      };
    });
    const index = (change * 7919) % services;
    emit(setOf(names[index] as string, index, 2 + change));
    await within(CHANGE_MS, all, () => `${missing.size} edges have not acknowledged change ${change + 1}`);
    times.push(performance.now() - began);
  }
  onAcknowledged = undefined;
  const { user, system } = process.cpuUsage(before);
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? 0).toFixed(1);
  if (times.length < CHANGES) print('changes that were timed; for more there was no time', String(times.length));
  print('a change until every edge has acknowledged it, ms: p50', at(0.5));
  print('… p99', at(0.99));
  print('CPU of the leader per change, ms', ((user + system) / 1000 / times.length).toFixed(1));
  const state = { type: 'service', version: 1, state: { endpoints: setOf('service-1', 1, 1).endpoints } };
  print('one change, bytes', String(pack(state).bytes.length));
}

/** @param run its endpoints are others in each */
function setOf(service: string, index: number, run: number): EndpointSet {
  const endpoints = Array.from({ length: ENDPOINTS }, (_, nth) => ({
    host: `10.${nth}.${index >> 8}.${index & 255}`,
    port: 1024 + run,
    weight: 1,
  }));
  return { service, source: 'static', endpoints };
}
