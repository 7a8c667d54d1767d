/**
 * A fleet in Consul: `npm run load:fleet [-- SECONDS [SERVICES [CHANGES]]]`. Lists five instances for each of 2,000
 * services unless told otherwise, and then changes one instance 50 times a second: half of the changes turn a check,
 * half put an instance in or take it out. Prints how long changes take from the writing to the first request that goes
 * where it should, what the proxy uses of a core and of memory meanwhile, and how many questions it has open at once.
 * `AGENT=1` in the environment has a real server of Consul in the place of the stand-in, which then shares the machine.
 */
import { rm } from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOrFetchConsul } from '../test/support/consul-binary.ts';
import { ConsulServers } from '../test/support/consul-servers.ts';
import { RunningProxy } from '../test/support/proxy.ts';
import { makeWorkspace } from '../test/support/workspace.ts';
import { countsFrom } from './support/arguments.ts';
import { cpuMicros, residentMiB, waitedMs } from './support/process.ts';
import { type FleetInstance, StandInConsul } from './support/stand-in-consul.ts';

const [seconds, services, changesPerSecond] = countsFrom(
  'usage: npm run load:fleet [-- SECONDS [SERVICES [CHANGES]]]',
  60,
  2000,
  50,
);
const INSTANCES = 5;
/** One change in so many is looked for by requests; the others are for the load alone. Odd, as kinds take turns. */
const PROBED = 11;
const PROBE_EVERY_MS = 10;
const GIVEN_UP_MS = 30_000;
/** The last instance of a service gets all requests while it is there: its share is so much greater. */
const HEAVY = 65_535;

interface Catalogue {
  readonly address: string;
  set(instance: FleetInstance, status: 'passing' | 'critical'): Promise<void>;
  remove(instance: FleetInstance): Promise<void>;
  close(): unknown;
}

const agent = new Agent({ keepAlive: true });

/** One server is at every address of the loopback network, and says which one it was asked at. */
const app = createServer((incoming, answer) => answer.end(incoming.socket.localAddress));
await new Promise<void>((resolve) => app.listen(0, '0.0.0.0', resolve));
const { port } = app.address() as AddressInfo;

const fleet = Array.from({ length: services }, (_, place) => instancesOf(place));
const workspace = await makeWorkspace('');
const catalogue = await openCatalogue();
try {
  await fill();
  await measure();
} finally {
  await catalogue.close();
  agent.destroy();
  app.close();
  app.closeAllConnections();
  await rm(workspace.folder, { recursive: true, force: true });
}

function instancesOf(place: number): FleetInstance[] {
  return Array.from({ length: INSTANCES }, (_, nth) => ({
    id: `fleet-${place}-${nth}`,
    service: `fleet-${place}`,
    node: `node-${place % 200}`,
    address: `127.${1 + nth}.${place >> 8}.${place & 255}`,
    port,
    weight: nth === INSTANCES - 1 ? HEAVY : 1,
  }));
}

async function openCatalogue(): Promise<Catalogue> {
  if (!process.env['AGENT']) return StandInConsul.open();
  const daemon = await ConsulServers.start(await findOrFetchConsul(), join(workspace.folder, 'consul'), ['one']);
  const address = daemon.servers[0]?.address ?? '';
  const put = (path: string, body: object) => ask(`${address}${path}`, { method: 'PUT' }, JSON.stringify(body));
  return {
    address,
    async set({ id, service, node, address, port: Port, weight }, status) {
      const Service = { ID: id, Service: service, Address: address, Port, Weights: { Passing: weight, Warning: 1 } };
      const Check = { CheckID: `service:${id}`, Name: 'check', Status: status, ServiceID: id };
      await put('/v1/catalog/register', { Node: node, Address: '10.0.0.1', Service, Check });
    },
    async remove({ id, node }) {
      await put('/v1/catalog/deregister', { Node: node, ServiceID: id });
    },
    close: () => daemon.stop(),
  };
}

async function fill(): Promise<void> {
  const all = fleet.flat();
  for (let from = 0; from < all.length; from += 32) {
    await Promise.all(all.slice(from, from + 32).map((instance) => catalogue.set(instance, 'passing')));
  }
}

async function measure(): Promise<void> {
  const routed = fleet.map(([{ service } = { service: '' }]) => [
    service,
    { routes: [{ host: `${service}.test` }], endpoints: { consul: { service } } },
  ]);
  const config = { consul: { address: catalogue.address }, services: Object.fromEntries(routed) };
  const proxy = await (await RunningProxy.launch({ workspace, config })).ready();
  // A change that never is routed ends this process at once.
  process.once('exit', () => proxy.child.kill('SIGKILL'));
  const pid = proxy.child.pid as number;
  await untilRouted(proxy.port, services - 1, true, performance.now());
  // What the start leaves behind is not the load's.
  await sleep(10_000);
  const took: number[] = [];
  const changes: Promise<unknown>[] = [];
  const isIn = new Array<boolean>(services).fill(true);
  let mostMiB = 0;
  const [cpu, waited, from] = [cpuMicros(pid), waitedMs(pid), performance.now()];
  for (let count = 0; performance.now() - from < seconds * 1000; count++) {
    const place = (count * 997) % services;
    const heavy = fleet[place]?.at(-1) as FleetInstance;
    const isNow = !isIn[place];
    isIn[place] = isNow;
    const writtenAt = performance.now();
    const write =
      place % 2 === 0 ? turn(heavy, isNow) : isNow ? catalogue.set(heavy, 'passing') : catalogue.remove(heavy);
    changes.push(write);
    if (count % PROBED === 0)
      changes.push(untilRouted(proxy.port, place, isNow, writtenAt).then((ms) => took.push(ms)));
    if (count % changesPerSecond === 0) mostMiB = Math.max(mostMiB, residentMiB(pid));
    await sleep(Math.max(0, from + ((count + 1) * 1000) / changesPerSecond - performance.now()));
  }
  const elapsed = performance.now() - from;
  const share = (cpuMicros(pid) - cpu) / 1000 / elapsed;
  const lacked = (waitedMs(pid) - waited) / elapsed;
  await Promise.all(changes);
  await proxy.stop();
  print(took, share, lacked, mostMiB);
}

function turn(instance: FleetInstance, isIn: boolean): Promise<void> {
  return catalogue.set(instance, isIn ? 'passing' : 'critical');
}

/** Asks until the answer comes from where it should; ms since the change was written. */
async function untilRouted(proxyPort: number, place: number, isIn: boolean, since: number): Promise<number> {
  const heavy = fleet[place]?.at(-1) as FleetInstance;
  const target = `http://127.0.0.1:${proxyPort}/`;
  for (;;) {
    const from = await ask(target, { headers: { host: `${heavy.service}.test` } }).catch(() => '');
    if (/^127\./.test(from) && (from === heavy.address) === isIn) return performance.now() - since;
    if (performance.now() - since > GIVEN_UP_MS) throw new Error(`${heavy.service} was not routed anew: ${from}`);
    await sleep(PROBE_EVERY_MS);
  }
}

function ask(url: string, options: object, body?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { agent, ...options }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text)).on('error', reject);
    });
    asking.on('error', reject).end(body);
  });
}

function print(took: number[], share: number, lacked: number, mostMiB: number): void {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (quantile: number) => `${(sorted[Math.ceil(quantile * sorted.length) - 1] ?? Number.NaN).toFixed(0)} ms`;
  console.log(`${services * INSTANCES} instances of ${services} services, ${changesPerSecond} changes a second`);
  console.log(`change -> routed, ${took.length} looked at: p50 ${at(0.5)}, p99 ${at(0.99)}, max ${at(1)}`);
  console.log(`the proxy: ${(share * 100).toFixed(1)} % of a core, ${mostMiB.toFixed(0)} MiB at most`);
  console.log(
    `it waited for a core ${(lacked * 100).toFixed(0)} % of the time: others use this machine, too, if that is much`,
  );
  if (catalogue instanceof StandInConsul) console.log(`open at once: ${catalogue.mostOpen} questions at most`);
}
