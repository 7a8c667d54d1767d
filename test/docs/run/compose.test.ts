import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, inject, test, vi } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { composeShell } from '../../support/compose.ts';
import { dockerApi } from '../../support/docker-api.ts';
import { buildAppImage } from '../../support/images.ts';
import { RunningProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';
import { makeWorkspace } from '../../support/workspace.ts';
import { blocksOfPage } from '../pages.ts';

// Containers are started, and on a machine that others use.
vi.setConfig({ testTimeout: 300_000 });

const socket = inject('dockerSocket');
/** In the place of the four images of the page: listens on the ports of all, and says by HTTP in which container it is. */
const IMAGE = 'pilotlight-test/compose:1';
const PROGRAM = `
  process.on('SIGTERM', () => process.exit());
  require('node:http').createServer((_, out) => out.end(require('node:os').hostname())).listen(80);
  for (const port of [5432, 6379]) require('node:net').createServer((socket) => socket.end()).listen(port);
`;

const endings: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const ending of endings.reverse()) await ending();
}, 120_000);

test('a stack of four appears, wakes, sleeps and goes by what the page says', async () => {
  const [stack, file, commands] = blocksOfPage('docs/compose.md');
  const lines = commands?.text.trim().split('\n') ?? [];
  const workspace = await makeWorkspace(socket);
  await buildAppImage(dockerApi(socket), { tag: IMAGE, files: {}, cmd: ['node', '-e', PROGRAM] });

  const project = `shop-${process.pid}`;
  const folder = join(workspace.folder, project);
  await mkdir(folder);
  await writeFile(join(folder, 'compose.yaml'), stack?.text.replace(/(image:) \S+/g, `$1 ${IMAGE}`) ?? '');
  const shell = await composeShell(socket, folder);
  const idOf = async (service: string) => (await shell(`docker compose ps -aq ${service}`)).trim();
  const runs = async () => (await shell('docker compose ps -q --status running')).trim() !== '';

  // The three commands of the page, with another port.
  expect(lines.slice(0, 2)).toEqual(['docker compose create', 'pilotlight run -c pilotlight.yaml']);
  endings.push(() => shell('docker compose down'));
  await shell(lines[0] as string);
  expect(await runs()).toBe(false);
  const { listen, ...config } = parseYaml(file?.text ?? '');
  expect(listen).toEqual([{ address: '127.0.0.1:8080' }]);
  const proxy = await RunningProxy.launch({
    workspace,
    config: { ...config, defaults: { scale: { idle: '1s' } } },
    env: { DOCKER_HOST: `unix://${socket}` },
  });
  endings.push(() => proxy.stop());
  await proxy.ready();
  const curl = (lines[2] as string).replace('curl', 'curl -sS').replace('8080', String(proxy.port));
  const [web, api] = [await idOf('web'), await idOf('api')];
  expect(await shell(curl)).toBe(web.slice(0, 12));
  expect(await shell(`${curl}api`)).toBe(api.slice(0, 12));

  const all = ['db', 'cache', 'api', 'web'].map((service) => `${project}-${service}`);
  const order = (type: string) => proxy.events.filter((event) => event.type === type).map(({ service }) => service);
  const [ready, names] = [order('ready'), new Set(all)];
  expect(new Set(ready.slice(0, 2))).toEqual(new Set(all.slice(0, 2)));
  expect(ready.slice(2)).toEqual(all.slice(2));
  await until('all of it sleeps', () => order('asleep').length === 4);
  expect(order('asleep').slice(0, 2)).toEqual([all[3], all[2]]);
  expect(new Set(order('asleep'))).toEqual(names);
  expect(await runs()).toBe(false);

  await shell('docker compose down');
  await until('all of it is gone', () => order('undeclared').length === 4);
  await until('and its routes', async () => (await proxy.request({ host: 'shop.localhost' })).status === 404);
});
