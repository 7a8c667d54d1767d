/**
 * How long a change in Consul takes to be routed: `npm run load:routed [-- CHANGES]`. Starts a Consul agent and a proxy,
 * and prints the time from sending the registration to the first routed request's answer, for two kinds of change:
 * - moved: the one instance of a service, listed all the time, moves from one port to another and back;
 * - appeared: each change lists another service for the first time. Consul wakes all who wait for a service that it
 *   does not know yet whenever any service changes, so these questions are slowed down under steady change.
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
import { countsFrom } from './support/arguments.ts';
import { median } from './support/process.ts';

const [changes] = countsFrom('usage: npm run load:routed [-- CHANGES]', 50);
const APART_MS = 150;
const LIMIT_MS = 20_000;

const apps = await Promise.all(['here', 'there'].map(startApp));
const workspace = await makeWorkspace('');
const agent = await ConsulAgent.start(await findOrFetchConsul());
try {
  const names = Array.from({ length: changes }, (_, index) => `appeared-${index}`);
  const moved = await measure(['moved'], (index) => ['moved', index]);
  const appeared = await measure(names, (index) => [names[index] as string, 0]);
  for (const [kind, took] of Object.entries({ moved, appeared })) print(kind, took);
} finally {
  await agent.stop();
  await rm(workspace.folder, { recursive: true, force: true });
  for (const { server } of apps) server.close();
}

async function startApp(text: string) {
  const server = createServer((_request, response) => response.end(text)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { server, text, port: (server.address() as AddressInfo).port };
}

/** Makes every change, each of which says which service is now served by which of the apps; returns ms per change. */
async function measure(names: readonly string[], change: (index: number) => [name: string, app: number]) {
  const services = Object.fromEntries(
    names.map((name) => [name, { routes: [{ path: `/${name}` }], endpoints: { consul: { service: name } } }]),
  );
  const config = { consul: { address: agent.address }, services };
  const proxy = await (await RunningProxy.launch({ workspace, config })).ready();
  const connection = await RawConnection.open(proxy.port);
  const ask = async (path: string) => {
    const sent = await connection.send({ path, close: false });
    return (await connection.read('GET', sent)).body.toString();
  };
  const took: number[] = [];
  for (let index = 0; index < changes; index++) {
    const [name, which] = change(index);
    const { text, port } = apps[which % apps.length] as (typeof apps)[number];
    const from = performance.now();
    await registerEntry(agent.address, { id: name, name, port });
    while ((await ask(`/${name}`)) !== text) {
      if (performance.now() - from > LIMIT_MS) throw new Error(`${name} was not routed within ${LIMIT_MS} ms`);
      await sleep(0.5);
    }
    took.push(performance.now() - from);
    await sleep(APART_MS);
  }
  connection.destroy();
  await proxy.stop();
  return took;
}

function print(kind: string, took: readonly number[]): void {
  const [middle, most] = [median(took), Math.max(...took)].map((ms) => `${ms.toFixed(1)} ms`);
  console.log(`Consul change -> routed, ${took.length} changes, ${kind}: p50 ${middle}, max ${most}`);
}
