/**
 * How soon a service that declares itself is there: `npm run load:declared [-- TIMES]`.
 * Starts the program, and an engine of Docker and a Consul agent unless there are some; makes a labelled container, or
 * registers a tagged service, 30 times each unless told, and prints the time until the first request is answered by its
 * route: from the engine's own time of the event, and from sending the registration. The container's route answers by
 * itself (it redirects), so that no start is counted; the service in Consul answers.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep, systemClock } from '../src/util/clock.ts';
import { ConsulAgent } from '../test/support/consul-agent.ts';
import { findOrFetchConsul } from '../test/support/consul-binary.ts';
import { registerEntry, removeEntry } from '../test/support/consul-catalog.ts';
import { dockerApi, removeContainers } from '../test/support/docker-api.ts';
import { findOrStartDocker } from '../test/support/docker-engine.ts';
import { freePort } from '../test/support/free-port.ts';
import { ensureNodeImage, NODE_IMAGE } from '../test/support/images.ts';
import { epochNow, request } from '../test/support/raw-client.ts';
import { countsFrom } from './support/arguments.ts';
import { startPinned, stop, untilListening } from './support/process.ts';

const [times] = countsFrom('usage: npm run load:declared [-- TIMES]', 30);
/** Apart enough that the table may change each time: it does so once a second in the long run, ms. */
const APART_MS = 2200;
const PREFIX = `latency-${process.pid}`;
const PROXY_CORE = 0;

const abort = new AbortController();
const folder = await mkdtemp(join(tmpdir(), 'pilotlight-declared-'));
const engine = await findOrStartDocker();
const docker = dockerApi(engine.socket);
const agent = await ConsulAgent.start(await findOrFetchConsul());
const app = createServer((_, answer) => answer.end('here')).listen(0, '127.0.0.1');
const [port, admin] = [await freePort(), await freePort()];
await writeFile(
  join(folder, 'pilotlight.json'),
  JSON.stringify({
    listen: [{ address: `127.0.0.1:${port}` }],
    admin: { address: `127.0.0.1:${admin}` },
    state: join(folder, 'state'),
    docker: { socket: engine.socket },
    consul: { address: agent.address },
    declare: { docker: { prefix: PREFIX }, consul: { prefix: PREFIX } },
    services: {},
  }),
);
await ensureNodeImage(docker);
const main = join(import.meta.dirname, '../src/pilotlight.ts');
const proxy = startPinned(PROXY_CORE, [process.execPath, main, 'run', '-c', join(folder, 'pilotlight.json')]);
try {
  await untilListening(port);
  print('container made (the engine’s time of the event) -> answered by its route', await measure(byContainer));
  print('registration in Consul sent -> answered by the service', await measure(byRegistration));
} finally {
  abort.abort();
  await stop(proxy);
  await removeContainers(docker, `${PREFIX}.enable`);
  await agent.stop();
  app.close();
  await engine.stop();
  await rm(folder, { recursive: true, force: true });
}

/** One service that comes and goes. @returns how long it took, ms */
async function byContainer(host: string): Promise<number> {
  const since = Math.floor(epochNow() / 1000);
  const labels = { enable: 'true', port: '80', route: host, 'route.redirect.to': 'https://elsewhere.example/' };
  const own = Object.entries(labels).map(([label, value]) => [`${PREFIX}.${label}`, value]);
  const body = { Image: NODE_IMAGE, Labels: Object.fromEntries(own) };
  const { json } = await docker<{ Id: string }>('POST', `/containers/create?name=${host}`, body);
  const at = await untilStatus(host, 308);
  const filters = encodeURIComponent(JSON.stringify({ container: [json.Id], event: ['create'] }));
  const { text } = await docker('GET', `/events?since=${since}&until=${Math.ceil(at / 1000) + 1}&filters=${filters}`);
  await docker('DELETE', `/containers/${json.Id}?force=1`);
  const { timeNano } = JSON.parse(text.split('\n', 1)[0] as string) as { timeNano: number };
  return at - timeNano / 1e6;
}

async function byRegistration(host: string): Promise<number> {
  const from = epochNow();
  const { port: appPort } = app.address() as AddressInfo;
  const entry = { id: host, name: host, port: appPort, tags: [`${PREFIX}.route=${host}`] };
  await registerEntry(agent.address, entry);
  const at = await untilStatus(host, 200);
  await removeEntry(agent.address, host);
  return at - from;
}

/** @returns when the first such answer was there, ms since the epoch */
async function untilStatus(host: string, status: number): Promise<number> {
  for (const end = epochNow() + 30_000; epochNow() < end; ) {
    const answer = await request(port, { host });
    if (answer.status === status) return answer.endedAt;
    await sleep(systemClock, 1, abort.signal);
  }
  throw new Error(`${host} was not there within 30 s`);
}

async function measure(once: (host: string) => Promise<number>): Promise<number[]> {
  const took: number[] = [];
  for (let i = 0; i < times; i++) {
    await sleep(systemClock, APART_MS, abort.signal);
    took.push(await once(`${PREFIX}-${once.name.toLowerCase()}-${i}`));
  }
  return took;
}

function print(what: string, took: number[]): void {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number) => `${(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN).toFixed(1)} ms`;
  console.log(`${what}, ${took.length} times: p50 ${at(0.5)}, p95 ${at(0.95)}, max ${at(1)}`);
}
