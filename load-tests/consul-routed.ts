/**
 * How long a change in Consul takes to be routed: `npm run load:routed [-- CHANGES]`. Starts a Consul agent and a proxy
 * with one service per change; registers one after the other and asks the proxy until it gets the app's own answer.
 * Prints the time from sending the registration to the first routed request's answer.
 */
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConsulAgent } from '../test/support/consul-agent.ts';
import { findOrFetchConsul } from '../test/support/consul-binary.ts';
import { registerEntry } from '../test/support/consul-catalog.ts';
import { RunningProxy } from '../test/support/proxy.ts';
import { RawConnection } from '../test/support/raw-client.ts';
import { makeWorkspace } from '../test/support/workspace.ts';
import { median } from './support/process.ts';

const changes = Number(process.argv[2] ?? 50);
const APART_MS = 60;

const app = createServer((_request, response) => response.end('here')).listen(0, '127.0.0.1');
const appPort = await new Promise<number>((resolve) => {
  app.once('listening', () => resolve((app.address() as AddressInfo).port));
});
const workspace = await makeWorkspace('');
const agent = await ConsulAgent.start(await findOrFetchConsul());
try {
  const names = Array.from({ length: changes }, (_, index) => `routed-${index}`);
  const services = Object.fromEntries(
    names.map((name) => [name, { routes: [{ path: `/${name}` }], endpoints: { consul: { service: name } } }]),
  );
  const proxy = await (
    await RunningProxy.launch({ workspace, config: { consul: { address: agent.address }, services } })
  ).ready();
  const connection = await RawConnection.open(proxy.port);
  const statusOf = async (path: string) => {
    const sent = await connection.send({ path, close: false });
    return (await connection.read('GET', sent)).status;
  };
  const took: number[] = [];
  for (const name of names) {
    const from = performance.now();
    await registerEntry(agent.address, { id: name, name, port: appPort });
    while ((await statusOf(`/${name}`)) !== 200) await sleep(0.5);
    took.push(performance.now() - from);
    await sleep(APART_MS);
  }
  connection.destroy();
  await proxy.stop();
  console.log(
    `Consul change -> routed, ${changes} changes: p50 ${median(took).toFixed(1)} ms, max ${Math.max(...took).toFixed(1)} ms`,
  );
} finally {
  await agent.stop();
  await rm(workspace.folder, { recursive: true, force: true });
  app.close();
}
