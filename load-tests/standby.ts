/**
 * How long a request waits for a wake, by what is left of the replica while its service sleeps: paused, a container that is
 * created, or nothing. The same app in each, which opens its port as soon as it can; each round is a sleep and a wake
 * through the proxy. Usage: `npm run load:standby [-- ROUNDS]`
 */
import { rm } from 'node:fs/promises';
import { makeApp, type Place } from '../test/support/app.ts';
import { dockerApi, removeContainers } from '../test/support/docker-api.ts';
import { findOrStartDocker } from '../test/support/docker-engine.ts';
import { MARK_LABEL } from '../test/support/marks.ts';
import { RunningProxy } from '../test/support/proxy.ts';
import { epochNow, request } from '../test/support/raw-client.ts';
import { until } from '../test/support/until.ts';
import { makeWorkspace, type Workspace } from '../test/support/workspace.ts';
import { countsFrom } from './support/arguments.ts';

const WAYS = [
  { place: 'process', standby: 'paused' },
  { place: 'process', standby: 'none' },
  { place: 'docker-container', standby: 'paused' },
  { place: 'docker-container', standby: 'created' },
  { place: 'docker-container', standby: 'none' },
] as const satisfies { place: Place; standby: string }[];

const [rounds] = countsFrom('usage: npm run load:standby [-- ROUNDS]', 50);
const engine = await findOrStartDocker();
const workspace = await makeWorkspace(engine.socket);
try {
  console.log(`${rounds} wakes each, from the request to the end of its answer, ms\n`);
  console.log(['', 'standby', 'p50', 'p99', 'least', 'most'].map(cell).join(''));
  for (const [index, way] of WAYS.entries()) await measure(index, way, workspace);
} finally {
  await removeContainers(dockerApi(engine.socket), `${MARK_LABEL}=${workspace.mark}`);
  await rm(workspace.folder, { recursive: true, force: true });
  await engine.stop();
}

async function measure(index: number, { place, standby }: (typeof WAYS)[number], space: Workspace): Promise<void> {
  const app = await makeApp(space, `app-${index}`, { place, standby });
  const config = { docker: { socket: space.dockerSocket }, services: { [app.name]: app.service } };
  const proxy = await (await RunningProxy.launch({ workspace: space, config })).ready();
  const waits: number[] = [];
  // The first one finds nothing to go on, and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const sentAt = epochNow();
    const answer = await request(proxy.port, { host: app.host });
    if (answer.status !== 200) throw new Error(`${place}, ${standby}: answered ${answer.status}\n${proxy.output}`);
    if (round > 0) waits.push(answer.endedAt - sentAt);
    await proxy.sleep(app.name);
    await until('it sleeps', async () => {
      const { state, replicas } = await proxy.service(app.name);
      const [replica] = replicas;
      return state === 'asleep' && (standby === 'paused' ? replica?.state === 'paused' : replica?.state !== 'stopping');
    });
  }
  await proxy.stop();
  const sorted = waits.sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
  const numbers = [at(0.5), at(0.99), at(0), sorted.at(-1) ?? 0].map((ms) => ms.toFixed(1));
  console.log([place, standby, ...numbers].map(cell).join(''));
}

function cell(text: string): string {
  return text.padStart(18);
}
