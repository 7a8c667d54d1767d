import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, inject, test, vi } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { composeShell } from '../../support/compose.ts';
import { dockerApi } from '../../support/docker-api.ts';
import { RunningProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';
import { makeWorkspace } from '../../support/workspace.ts';
import { type Block, blocksOfPage, linesOf } from '../pages.ts';
import { standIn } from './stand-in.ts';

// Containers are started, and on a machine that others use.
vi.setConfig({ testTimeout: 300_000 });

const socket = inject('dockerSocket');
/** Other tests have containers in the same engine: those of this stack are in its network. */
const ownPart = (project: string) => {
  return { declare: { docker: [`${project}_default`] }, defaults: { scale: { idle: '2s' } } };
};

const endings: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const ending of endings.reverse()) await ending();
}, 120_000);

test('a stack of four appears, wakes, sleeps and goes by what the page says', async () => {
  const [stack, file, commands] = blocksOfPage('docs/compose.md') as [Block, Block, Block];
  const lines = linesOf(commands);
  const workspace = await makeWorkspace(socket);
  const image = await standIn(dockerApi(socket));

  const project = `shop-${process.pid}`;
  const folder = join(workspace.folder, project);
  await mkdir(folder);
  await writeFile(join(folder, 'compose.yaml'), stack.text.replace(/(image:) \S+/g, `$1 ${image}`));
  const shell = await composeShell(socket, folder);
  const idOf = async (service: string) => (await shell(`docker compose ps -aq ${service}`)).trim();
  const runs = async () => (await shell('docker compose ps -q --status running')).trim() !== '';

  // The three commands of the page, with another port.
  expect(lines.slice(0, 2)).toEqual(['docker compose create', 'pilotlight run -c pilotlight.yaml &']);
  endings.push(() => shell('docker compose down'));
  await shell(lines[0] as string);
  expect(await runs()).toBe(false);
  const { listen, ...config } = parseYaml(file.text);
  expect(config.declare).toEqual({ docker: true });
  expect(listen).toEqual([{ address: '127.0.0.1:8080' }]);
  const proxy = await RunningProxy.launch({
    workspace,
    config: { ...config, ...ownPart(project) },
    env: { DOCKER_HOST: `unix://${socket}` },
  });
  endings.push(() => proxy.stop());
  await proxy.ready();
  const curl = (lines[2] as string).replace('curl', 'curl -sS').replace('8080', String(proxy.port));
  const [web, api] = [await idOf('web'), await idOf('api')];
  expect(await shell(curl)).toBe(web.slice(0, 12));
  expect(await shell(`${curl}api`)).toBe(api.slice(0, 12));

  const all = ['db', 'cache', 'api', 'web'].map((service) => `${project}-${service}`);
  const ofStack = () => proxy.events.filter(({ service }) => all.includes(service ?? ''));
  const order = (type: string) => ofStack().flatMap((event) => (event.type === type ? event.service : []));
  const [first, ...rest] = [order('ready').slice(0, 2), ...order('ready').slice(2, 4)];
  expect(new Set(first)).toEqual(new Set(all.slice(0, 2)));
  expect(rest).toEqual(all.slice(2));
  await until('all of it sleeps', async () => (await proxy.services()).every(({ state }) => state === 'asleep'));
  const [db, cache, middle, front] = all.map((service) => order('asleep').lastIndexOf(service)) as number[];
  expect(front).toBeLessThan(middle as number);
  expect(middle).toBeLessThan(Math.min(db as number, cache as number));
  expect(await runs()).toBe(false);

  await shell('docker compose down');
  await until('all of it is gone', async () => (await proxy.services()).length === 0, 60_000);
  await until('and its routes', async () => (await proxy.request({ host: 'shop.localhost' })).status === 404);
});
