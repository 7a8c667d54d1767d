import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';
import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { DeclarationStatus } from '../../../src/model/declarations.ts';
import { findProgram, run } from '../../support/command.ts';
import { ConsulAgent } from '../../support/consul-agent.ts';
import { aptInstall } from '../../support/debian.ts';
import { dockerApi } from '../../support/docker-api.ts';
import { RunningProxy } from '../../support/proxy.ts';
import { until } from '../../support/until.ts';
import { makeWorkspace, type Workspace } from '../../support/workspace.ts';
import { type Block, blocksOfPage, linesOf } from '../pages.ts';
import { standIn } from './stand-in.ts';

// Containers are started, and on a machine that others use.
vi.setConfig({ testTimeout: 180_000 });

const socket = inject('dockerSocket');
/** Of these tests alone: others use the same engine. */
const NAME = `shop-${process.pid}`;

let agent: ConsulAgent;
let app: Server;
let image: string;
let workspace: Workspace;
const endings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  if (findProgram('docker') === undefined) await aptInstall(['docker.io']);
  workspace = await makeWorkspace(socket);
  agent = await ConsulAgent.start(inject('consulBinary'));
  app = createServer((request, answer) => answer.end(`page ${request.url}`)).listen(0, '127.0.0.1');
  image = await standIn(dockerApi(socket));
}, 300_000);

afterAll(async () => {
  for (const ending of endings.reverse()) await ending();
  await agent?.stop();
  app?.close();
}, 120_000);

/** Runs a command of a page, with the names, ports and images of the test. */
function shell(line: string): Promise<string> {
  const { port } = app.address() as AddressInfo;
  const own = line
    .replace('--name shop', `--name ${NAME}`)
    .replace(/-port \d+/, `-port ${port}`)
    .replace('shop:1.4', image)
    .replace(/^curl/, 'curl -sS');
  const path = `${dirname(inject('consulBinary'))}:${process.env['PATH']}`;
  const env = { CONSUL_HTTP_ADDR: agent.address, DOCKER_HOST: `unix://${socket}`, PATH: path };
  return run('sh', ['-ec', own], { env });
}

async function create(line: string): Promise<void> {
  endings.push(() => run('docker', ['rm', '-f', '-v', NAME], { env: { DOCKER_HOST: `unix://${socket}` } }));
  await shell(line);
}

/** Starts the program with the configuration of a page, at ports of its own. */
async function serve(block: Block, more: Record<string, unknown> = {}): Promise<RunningProxy> {
  const { listen, ...config } = { services: {}, ...parseYaml(block.text), ...more };
  const own = { consul: { address: agent.address }, docker: { socket } };
  // Other tests have containers in the same engine, in networks of their own.
  if (config.declare.docker === true) config.declare.docker = ['bridge'];
  const proxy = await RunningProxy.launch({ workspace, config: { ...config, ...own } });
  endings.push(() => proxy.stop());
  return proxy.ready();
}

const declarations = async (proxy: RunningProxy) =>
  (await (await proxy.admin('/v1/declarations')).json()) as DeclarationStatus[];
const answers = async (proxy: RunningProxy, host: string, path = '/') => {
  await until(`${host} is there`, async () => (await proxy.request({ host, path })).status === 200);
  return (await proxy.request({ host, path })).body.toString();
};

test('declaring services: the labels and the tags of the page, and what it says of a wrong one', async () => {
  const [file, container, consul, wrong] = blocksOfPage('docs/declare.md') as [Block, Block, Block, Block];
  await create(linesOf(container)[0]?.replace('scale.idle=10m', 'port=80') ?? '');
  await shell(linesOf(consul)[0] as string);
  const proxy = await serve(file);
  expect(await answers(proxy, 'shop.apps.example.com', '/api')).toMatch(/^[0-9a-f]{12}$/);
  expect(await answers(proxy, 'cart.apps.example.com', '/x')).toBe('page /x');
  const mistaken = (linesOf(consul)[0] as string).replace('-tag ', '-tag pilotlight.hold.tiemout=1s -tag ');
  await shell(mistaken.replaceAll('cart', 'other'));
  const line = wrong.text.split('\n')[1]?.replaceAll('cart', 'other') ?? 'nothing';
  const isRefused = ({ service, state }: DeclarationStatus) => service === 'other' && state === 'refused';
  await until('it is refused', async () => (await declarations(proxy)).some(isRefused));
  const [problem] = (await declarations(proxy)).find(isRefused)?.problems ?? [];
  expect(line).toBe(`Consul service other (other, refused): ${problem}`);
});

test('coming from fabio: its tags are kept', async () => {
  const [file, commands] = blocksOfPage('docs/coming-from-fabio.md') as [Block, Block];
  const [register, start, curl] = linesOf(commands) as [string, string, string];
  expect(start).toBe('pilotlight run -c pilotlight.yaml');
  await shell(register);
  const proxy = await serve(file);
  expect(await shell(curl.replace('9999', String(proxy.port)))).toBe('page /');
  const [shop] = (await declarations(proxy)).filter(({ service }) => service === 'shop');
  expect(shop).toMatchObject({ state: 'in force', remarks: [] });
});

test('coming from Traefik and Sablier: labels are kept, and the container sleeps', async () => {
  const [file, commands] = blocksOfPage('docs/coming-from-traefik.md') as [Block, Block];
  const [make, start, curl] = linesOf(commands) as [string, string, string];
  expect(start).toBe('pilotlight run -c pilotlight.yaml');
  await run('docker', ['rm', '-f', '-v', NAME], { env: { DOCKER_HOST: `unix://${socket}` } });
  await shell(make);
  const proxy = await serve(file, { defaults: { scale: { idle: '1s' } } });
  expect(await shell(curl.replace('127.0.0.1', `127.0.0.1:${proxy.port}`))).toMatch(/^[0-9a-f]{12}$/);
  await proxy.untilState(NAME, 'asleep');
});
