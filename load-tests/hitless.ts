/**
 * What reloads, then upgrades, cost clients under a steady load of kept connections, new connections and (during the
 * reloads) a WebSocket: the counts of what was sent, and a line per failure; exits 1 when there is one.
 * Usage: hitless.ts [RELOADS] [UPGRADES] [WORKERS]
 */
import { rm } from 'node:fs/promises';
import { type App, makeApp } from '../test/support/app.ts';
import { killMarked } from '../test/support/marked-processes.ts';
import { RunningProxy } from '../test/support/proxy.ts';
import { pause } from '../test/support/raw-client.ts';
import { isAlive } from '../test/support/remains.ts';
import { SteadyLoad } from '../test/support/steady-load.ts';
import { until } from '../test/support/until.ts';
import { makeWorkspace } from '../test/support/workspace.ts';

/** Requests per second. */
const RATE = 400;
/** Between two changes, ms. */
const PAUSE_MS = 200;

const [reloads = 50, upgrades = 20, workers = 1] = process.argv.slice(2).map(Number);
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
} finally {
  killMarked(workspace.mark);
  await rm(workspace.folder, { recursive: true, force: true });
}
process.exit(failed > 0 ? 1 : 0);

async function measure(
  what: string,
  proxy: RunningProxy,
  app: App,
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

/** Another configuration every round: a service more or less, and other bounds. */
function configOf(app: App, round: number): Record<string, unknown> {
  const more = { routes: [{ host: `more-${round}.test` }], endpoints: { static: ['127.0.0.1:1'] } };
  const services = { [app.name]: app.service, ...(round % 2 === 0 ? {} : { more }) };
  return { workers, budget: { heldBytes: `${64 + round}MiB` }, services };
}
