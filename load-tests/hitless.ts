/**
 * What reloads, upgrades, a churn of endpoints in Consul and restarts of Consul cost clients under a steady load of kept
 * connections, new connections and (during the reloads) a WebSocket: the counts of what was sent, and a line per failure;
 * exits 1 when there is one.
 * Usage: `npm run load:hitless [-- RELOADS [UPGRADES [WORKERS]]]` (50, 20 and 1 unless told).
 */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type App, makeApp } from '../test/support/app.ts';
import { ConsulAgent } from '../test/support/consul-agent.ts';
import { findOrFetchConsul } from '../test/support/consul-binary.ts';
import { registerEntry, removeEntry } from '../test/support/consul-catalog.ts';
import { killMarked } from '../test/support/marked-processes.ts';
import { RunningProxy } from '../test/support/proxy.ts';
import { pause } from '../test/support/raw-client.ts';
import { isAlive } from '../test/support/remains.ts';
import { SteadyLoad } from '../test/support/steady-load.ts';
import { until } from '../test/support/until.ts';
import { makeWorkspace } from '../test/support/workspace.ts';
import { countsFrom } from './support/arguments.ts';

/** Requests per second. */
const RATE = 400;
/** Between two changes, ms. */
const PAUSE_MS = 200;
/** Instances that Consul lists: the first all the time, the others come and go. */
const ORIGINS = 9;
const CHURN = 1000;
/** Changes per second. */
const CHURN_RATE = 100;
const CONSUL_RESTARTS = 3;

const usage = 'usage: npm run load:hitless [-- RELOADS [UPGRADES [WORKERS]]]';
const [reloads, upgrades, workers] = countsFrom(usage, 50, 20, 1);
// No container takes part: there is no engine.
const workspace = await makeWorkspace('');
let failed = 0;
try {
  const service = { timeouts: { drain: '1s' } };
  const app = await makeApp(workspace, 'app', { mimic: { LATENCY_MS: 5 }, service });
  const proxy = await (await RunningProxy.launch({ workspace, config: configOf(app, 0) })).ready();
  await proxy.request({ host: app.host });
  await measure(`${reloads} reloads`, proxy, app, true, async () => {
    for (let round = 1; round <= reloads; round++) {
      await proxy.reload(configOf(app, round));
      const done = () => proxy.events.filter(({ type }) => type === 'reloaded').length === round;
      await until('reloaded', done, 10_000, 5);
      await pause(PAUSE_MS);
    }
  });
  await measure(`${upgrades} upgrades`, proxy, app, false, async () => {
    for (let round = 1; round <= upgrades; round++) {
      const before = proxy.pid;
      proxy.signal('SIGUSR2');
      await until('upgraded', () => proxy.pid !== before && !isAlive(before), 30_000, 5);
      await pause(PAUSE_MS);
    }
  });
  await proxy.stop();
  await behindConsul();
} finally {
  killMarked(workspace.mark);
  await rm(workspace.folder, { recursive: true, force: true });
}
process.exit(failed > 0 ? 1 : 0);

async function measure(
  what: string,
  proxy: RunningProxy,
  app: { host: string },
  webSocket: boolean,
  changes: () => Promise<void>,
): Promise<void> {
  const load = await SteadyLoad.start(proxy.port, app.host, RATE, { webSocket });
  await changes();
  const { kept, fresh, echoed, failures } = await load.stop();
  failed += failures.length;
  const sent = `${kept} requests on kept connections, ${fresh} on new ones, ${echoed} WebSocket messages`;
  console.log(`${what}, ${workers} worker(s): ${sent}; ${failures.length} failed`);
  for (const failure of failures.slice(0, 20)) console.log(`  ${failure}`);
}

/** A service whose instances Consul lists, while these change and while Consul goes away and comes back empty. */
async function behindConsul(): Promise<void> {
  const agent = await ConsulAgent.start(await findOrFetchConsul());
  const origins = await Promise.all(Array.from({ length: ORIGINS }, startOrigin));
  try {
    const ports = origins.map((origin) => (origin.address() as AddressInfo).port);
    const register = (index: number) =>
      registerEntry(agent.address, { id: `listed-${index}`, name: 'listed', port: ports[index] as number });
    await register(0);
    const service = { routes: [{ host: 'listed.test' }], endpoints: { consul: { service: 'listed' } } };
    const config = { workers, consul: { address: agent.address }, services: { listed: service } };
    const proxy = await (await RunningProxy.launch({ workspace, config })).ready();
    const app = { host: 'listed.test' };
    await measure(`${CHURN} changes of endpoints, ${CHURN_RATE} a second`, proxy, app, false, async () => {
      const from = performance.now();
      for (let change = 0; change < CHURN; change++) {
        const index = 1 + (change % (ORIGINS - 1));
        const isListed = Math.floor(change / (ORIGINS - 1)) % 2 === 1;
        await (isListed ? removeEntry(agent.address, `listed-${index}`) : register(index));
        await pause(Math.max(0, from + ((change + 1) * 1000) / CHURN_RATE - performance.now()));
      }
      const rate = CHURN / ((performance.now() - from) / 1000);
      console.log(`  made ${rate.toFixed(0)} changes a second`);
    });
    await measure(`${CONSUL_RESTARTS} restarts of Consul`, proxy, app, false, async () => {
      for (let round = 0; round < CONSUL_RESTARTS; round++) {
        await agent.restart();
        await pause(1000);
        await register(0);
        await pause(4000);
      }
    });
    await proxy.stop();
  } finally {
    for (const origin of origins) origin.close();
    await agent.stop();
  }
}

async function startOrigin(): Promise<Server> {
  const origin = createServer((_request, response) => response.end('here')).listen(0, '127.0.0.1');
  await once(origin, 'listening');
  return origin;
}

/** Another configuration every round: a service more or less, and other bounds. */
function configOf(app: App, round: number): Record<string, unknown> {
  const more = { routes: [{ host: `more-${round}.test` }], endpoints: { static: ['127.0.0.1:1'] } };
  const services = { [app.name]: app.service, ...(round % 2 === 0 ? {} : { more }) };
  return { workers, budget: { heldBytes: `${64 + round}MiB` }, services };
}
