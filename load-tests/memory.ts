/**
 * What many of a kind cost Pilotlight: idle connections, held requests, services that sleep, and a change of one
 * service among many. Prints each figure beside its bound and exits 1 when one is exceeded. Usage: `npm run load:memory`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { descriptorLimit, shareDescriptors } from '../src/util/descriptors.ts';
import { freePort } from '../test/support/free-port.ts';
import { until } from '../test/support/until.ts';
import { usageOf } from './bench/process-tree.ts';
import { type Extra, startPilotlight } from './bench/proxies/pilotlight.ts';
import type { Subject } from './bench/proxies/subject.ts';
import { Crowd } from './memory/crowd.ts';
import { measureEndpointChange } from './memory/endpoint-change.ts';
import { countsFrom } from './support/arguments.ts';
import { pinSelf, startPinned, stopAll, untilListening } from './support/process.ts';

const MANY = 10_000;
/** Clients that are there before, so that what is made for the first ones is not counted. */
const FEW = 200;
/** So many clients as the limit of open files leaves room for: each may need a connection to a service as well. */
const CLIENTS = Math.min(MANY, shareDescriptors(descriptorLimit() ?? Number.POSITIVE_INFINITY).clients - FEW);
const PROXY_CORE = 0;
const LOAD_CORE = Math.min(1, cpus().length - 1);
/** What is left of the work before is done, and garbage of it collected, before memory is looked at. Ms. */
const SETTLE_MS = 5000;
/** … after the boot with many services: V8 goes through the whole memory twice within 20 s of it, to make it smaller. */
const SETTLE_BOOT_MS = 30_000;
/** How long idleness is watched, ms. */
const WATCH_MS = 10_000;

let exceeded = 0;

countsFrom('usage: npm run load:memory');

pinSelf(LOAD_CORE);
await withProxy(idleConnections);
await withProxy(heldRequests);
await withProxy(coldServices);
await endpointChanges();
process.exitCode = exceeded === 0 ? 0 : 1;

type Start = (extra: Extra) => Promise<Subject & { pid: number }>;

async function idleConnections(start: Start): Promise<void> {
  const upstream = await freePort();
  startPinned(LOAD_CORE, [process.execPath, join(import.meta.dirname, 'servers/upstream.mjs')], {
    PORT: String(upstream),
  });
  await untilListening(upstream);
  const { pid, port } = await start({
    services: { app: { routes: [{}], endpoints: { static: [`127.0.0.1:${upstream}`] } } },
  });
  const few = await Crowd.gather(port, FEW);
  await sleep(SETTLE_MS);
  const before = usageOf(pid).residentMiB;
  const crowd = await Crowd.gather(port, CLIENTS);
  await until('every connection has its answer', () => crowd.answered >= CLIENTS);
  await sleep(SETTLE_MS);
  const added = usageOf(pid).residentMiB - before;
  crowd.leave();
  few.leave();
  say(`${CLIENTS} idle keep-alive connections add (${crowd.lost} lost)`, added, 100, 'MiB');
}

async function heldRequests(start: Start): Promise<void> {
  const never = { process: { command: ['sleep', '300'], env: { PORT: '{port}' } } };
  const hold = { max: 2 * CLIENTS, timeout: '120s', page: 'off' };
  const { pid, port, adminPort } = await start({
    services: { app: { routes: [{}], run: never, ready: { timeout: '120s' }, hold } },
  });
  const few = await Crowd.gather(port, FEW);
  await sleep(SETTLE_MS);
  const before = usageOf(pid).residentMiB;
  const crowd = await Crowd.gather(port, CLIENTS);
  await until('all are held', async () => {
    const { held } = (await (await fetch(`http://127.0.0.1:${adminPort}/v1/services/app`)).json()) as { held: number };
    return held >= CLIENTS;
  });
  await sleep(SETTLE_MS);
  const added = usageOf(pid).residentMiB - before;
  crowd.leave();
  few.leave();
  say(`${CLIENTS} held requests add (${crowd.lost} lost)`, added, 100, 'MiB');
}

async function coldServices(start: Start): Promise<void> {
  const services = Array.from({ length: MANY }, (_, index) => {
    const run = { process: { command: ['node', 'server.js'], env: { PORT: '{port}' } } };
    return [`service-${index}`, { routes: [{ host: `service-${index}.test` }], run }] as const;
  });
  const from = performance.now();
  const { pid } = await start({ services: Object.fromEntries(services) });
  const bootMs = performance.now() - from;
  await sleep(SETTLE_BOOT_MS);
  const before = usageOf(pid).cpuMicros;
  await sleep(WATCH_MS);
  const { cpuMicros, residentMiB } = usageOf(pid);
  say(`${MANY} cold services, listening after ${(bootMs / 1000).toFixed(1)} s, all in all`, residentMiB, 200, 'MiB');
  say(`${MANY} cold services, CPU when nothing happens`, (cpuMicros - before) / WATCH_MS / 10, 1, '%');
}

async function endpointChanges(): Promise<void> {
  for (const services of [10, MANY]) {
    const { median, max, allocatedKiB } = await measureEndpointChange(services);
    const more = `max ${max.toFixed(2)} ms, ${allocatedKiB.toFixed(1)} KiB allocated`;
    say(`new endpoints of one service among ${services} (${more}), median`, median, 5, 'ms');
  }
}

/** Runs a measurement with proxies of its own, which are gone when it ends. */
async function withProxy(measure: (start: Start) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-memory-'));
  try {
    await measure(async (extra) => {
      const ground = { folder, core: PROXY_CORE, upstream: 0, speech: 'http', certificate: '' } as const;
      const proxy = await startPilotlight('pilotlight', ground, extra);
      if (proxy.pid === undefined) throw new Error('the proxy did not start');
      return { ...proxy, pid: proxy.pid };
    });
  } finally {
    await stopAll();
    await rm(folder, { recursive: true, force: true });
  }
}

function say(what: string, value: number, bound: number, unit: string): void {
  if (value > bound) exceeded++;
  console.log(`${what}: ${value.toFixed(2)} ${unit} (bound ${bound} ${unit}${value > bound ? ', EXCEEDED' : ''})`);
}
