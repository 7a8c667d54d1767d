import { join } from 'node:path';
import { runAutocannon } from './fixed-rate.ts';
import { cpuOfChildren } from './process-tree.ts';
import { PROTOCOL_WORKLOADS } from './protocol-workloads.ts';
import type { Subject } from './proxies/subject.ts';
import { routeTable } from './route-tables.ts';
import { runSteady } from './steady-load.ts';
import { runWebSockets } from './web-socket-load.ts';
import { type Bench, CONNECTIONS, HALF, type Load, urlOf, type Workload, wrkWorkload } from './workload.ts';
import { runWrk, writeScript } from './wrk.ts';

const SCRAPE_MS = 1000;
/** Length of the round that finds the maximum of which a fixed rate is the half, s. */
const CALIBRATE_S = 2;

const FEW = '10 routes';
const MANY = '100,000 routes';
const SILENT = 'silent';
const OBSERVED = 'access log, scraped';

export const WORKLOADS: Record<string, Workload> = {
  'small-get': wrkWorkload('small keep-alive GET, 64 connections', {}),
  post: wrkWorkload('POST of 10 KiB, 64 connections', { request: { method: 'POST', body: 10 * 1024 } }),
  'large-get': wrkWorkload('GET of 1 MiB, 64 connections', { path: '/large' }),
  'connection-each': wrkWorkload('a connection per request, 64 at once', {
    request: { headers: { Connection: 'close' } },
  }),
  ...PROTOCOL_WORKLOADS,
  'many-connections': wrkWorkload('small keep-alive GET, 256 connections', { connections: 256, isAside: true }),
  'half-rate': {
    isAside: true,
    title: "small keep-alive GET at half of Pilotlight's maximum with the same connections (64), evenly spaced",
    upstream: 'http',
    prepare: async (_bench, subjects) => {
      const rate = await halfOfMaximum(subjects);
      return ({ port }, seconds) => runSteady(port, { connections: CONNECTIONS, seconds, rate });
    },
  },
  'half-rate-bursts': {
    isAside: true,
    title: 'the same with autocannon, which sends the requests of each second as fast as it gets answers',
    upstream: 'http',
    prepare: async (_bench, subjects) => {
      const rate = await halfOfMaximum(subjects);
      return (subject, seconds) => runAutocannon(urlOf(subject), { connections: CONNECTIONS, seconds, rate });
    },
  },
  observed: {
    isAside: true,
    title: 'small keep-alive GET without and with an access log and a scrape of the metrics per second',
    upstream: 'http',
    variants: ({ folder }) => ({
      [SILENT]: {},
      [OBSERVED]: { accessLog: { file: join(folder, 'access.log'), format: 'json' } },
    }),
    prepare: prepareObserved,
  },
  routes: {
    isAside: true,
    title: 'small keep-alive GET, 10 services of 1 route each and 10,000 of 10 each, 10 of them asked',
    upstream: 'http',
    variants: ({ upstreams }) => {
      const tables = tablesTo(upstreams.http);
      return { [FEW]: tables[FEW].config, [MANY]: tables[MANY].config };
    },
    prepare: prepareRoutes,
  },
  workers: {
    isAside: true,
    title: `small keep-alive GET, 128 connections, one process and several workers, all on ${HALF} core(s)`,
    upstream: 'http',
    spread: true,
    variants: () => {
      const counts = [1, 2, HALF].filter((count, index, all) => all.indexOf(count) === index);
      return Object.fromEntries(counts.map((workers) => [`workers: ${workers}`, { workers }]));
    },
    prepare: prepareWorkers,
  },
  'web-socket': {
    isAside: true,
    title: 'WebSocket echo of 64 bytes, 64 connections, a message at a time',
    upstream: 'echo',
    prepare: async () => (subject, seconds) => runWebSockets(subject.port, { connections: CONNECTIONS, seconds }),
  },
};

/** Half of the requests per second that Pilotlight (or the first subject) answers autocannon at most. */
async function halfOfMaximum(subjects: readonly Subject[]): Promise<number> {
  const first = subjects.find(({ name }) => name === 'pilotlight') ?? subjects[0];
  if (first === undefined) throw new Error('nothing to measure');
  const load = () => runAutocannon(urlOf(first), { connections: CONNECTIONS, seconds: CALIBRATE_S, rate: undefined });
  await load();
  const { requests, seconds } = await load();
  const rate = Math.round(requests / seconds / 2);
  console.log(`rate: ${rate} requests/s`);
  return rate;
}

async function prepareObserved({ folder }: Bench): Promise<Load> {
  const script = await writeScript(folder, 'load', {});
  return async (subject, seconds) => {
    const scrape = (): void => {
      const url = `http://127.0.0.1:${subject.adminPort}/metrics`;
      fetch(url).then(
        (answer) => answer.arrayBuffer(),
        (error) => console.error(`no metrics: ${error}`),
      );
    };
    const scraping = subject.variant === OBSERVED ? setInterval(scrape, SCRAPE_MS) : undefined;
    const sample = await runWrk(urlOf(subject), script, { connections: CONNECTIONS, seconds });
    clearInterval(scraping);
    return sample;
  };
}

async function prepareRoutes({ folder, upstreams }: Bench): Promise<Load> {
  const tables = tablesTo(upstreams.http);
  const few = await writeScript(folder, 'few', { targets: tables[FEW].targets });
  const many = await writeScript(folder, 'many', { targets: tables[MANY].targets });
  return (subject, seconds) => {
    return runWrk(urlOf(subject), subject.variant === FEW ? few : many, { connections: CONNECTIONS, seconds });
  };
}

/** Says, too, how much of the work the busiest worker did: the kernel spreads connections over them by chance. */
async function prepareWorkers({ folder }: Bench): Promise<Load> {
  const script = await writeScript(folder, 'load', {});
  return async (subject, seconds) => {
    const children = () => (subject.pid === undefined ? [] : cpuOfChildren(subject.pid));
    const before = children();
    const sample = await runWrk(urlOf(subject), script, { connections: 2 * CONNECTIONS, seconds, threads: HALF });
    const used = children().map((micros, index) => micros - (before[index] ?? 0));
    const all = used.reduce((sum, micros) => sum + micros, 0);
    if (all > 0) console.log(`${subject.name}: the busiest did ${((100 * Math.max(...used)) / all).toFixed(0)} %`);
    return sample;
  };
}

function tablesTo(upstream: number) {
  return { [FEW]: routeTable(10, 1, upstream), [MANY]: routeTable(10_000, 10, upstream) } as const;
}
