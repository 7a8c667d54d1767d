import { afterAll, beforeAll, expect, inject, test, vi } from 'vitest';
import type { DeclarationStatus } from '../../src/model/declarations.ts';
import { dockerApi, expectStatus, removeContainers, TEST_LABEL } from '../support/docker-api.ts';
import { buildAppImage } from '../support/images.ts';
import { RunningProxy } from '../support/proxy.ts';
import { until } from '../support/until.ts';
import { makeWorkspace, type Workspace } from '../support/workspace.ts';

const socket = inject('dockerSocket');
const docker = dockerApi(socket);
const IMAGE = 'pilotlight-test/declared:1';
/** Of these tests alone: others use the same engine. */
const PREFIX = `declared-${process.pid}`;
// Containers are started, and on a machine that others use.
vi.setConfig({ testTimeout: 180_000 });

let workspace: Workspace;
let proxy: RunningProxy;

interface Inspected {
  State: { Running: boolean };
}

beforeAll(async () => {
  workspace = await makeWorkspace(socket);
  await buildAppImage(docker, {
    tag: IMAGE,
    files: {},
    cmd: [
      'node',
      '-e',
      "process.on('SIGTERM', () => process.exit()); require('node:http').createServer((_, out) => out.end('declared')).listen(3000)",
    ],
    exposed: [3000],
  });
  const config = {
    docker: { socket },
    declare: { docker: { prefix: PREFIX } },
    services: { filed: { routes: [{ host: 'filed.example' }], endpoints: { static: ['127.0.0.1:1'] } } },
  };
  proxy = await (await RunningProxy.launch({ workspace, config })).ready();
}, 600_000);

afterAll(async () => {
  await proxy?.stop();
  await removeContainers(docker, `${PREFIX}.enable`);
}, 120_000);

async function create(name: string, labels: Record<string, string>, foreign: object = {}): Promise<string> {
  const own = Object.entries(labels).map(([label, value]) => [`${PREFIX}.${label}`, value]);
  const body = {
    Image: IMAGE,
    Labels: { ...foreign, [TEST_LABEL]: workspace.mark, [`${PREFIX}.enable`]: 'true', ...Object.fromEntries(own) },
  };
  const { json } = await docker<{ Id: string }>('POST', `/containers/create?name=${PREFIX}-${name}`, body);
  return json.Id;
}

const remove = async (id: string) => expectStatus(await docker('DELETE', `/containers/${id}?force=1&v=1`), 204);
const runs = async (id: string) => (await docker<Inspected>('GET', `/containers/${id}/json`)).json.State.Running;
const declarations = async () => (await (await proxy.admin('/v1/declarations')).json()) as DeclarationStatus[];
const statusOf = async (host: string) => (await proxy.request({ host })).status;
const told = (text: string) =>
  until(`“${text}” is told`, () => proxy.events.some(({ message }) => message.includes(text)));

test('a labelled container that does not run appears, wakes by a request, sleeps, and goes when it is removed', async () => {
  const id = await create('shop', { route: 'shop.example', 'scale.idle': '1s' });
  const name = `${PREFIX}-shop`;
  await told(`${name} is declared by container ${name}`);
  await proxy.untilState(name, 'asleep');
  const { status, body } = await proxy.request({ host: 'shop.example' });
  expect([status, body.toString()]).toEqual([200, 'declared']);
  expect(await runs(id)).toBe(true);
  await proxy.untilState(name, 'asleep');
  await until('the container ended', async () => !(await runs(id)));
  await remove(id);
  await told(`${name} is gone with container ${name}`);
  await until('its route is gone', async () => (await statusOf('shop.example')) === 404);
});

test('a wrong label is told by container and name, and holds nothing of the service', async () => {
  const id = await create('wrong', { route: 'wrong.example', 'scale.idel': '1s' });
  await told(`container ${PREFIX}-wrong: label ${PREFIX}.scale.idel: unknown option "idel" (did you mean "idle"?)`);
  expect(await statusOf('wrong.example')).toBe(404);
  expect((await declarations()).map(({ title, state }) => [title, state])).toEqual([
    [`container ${PREFIX}-wrong`, 'refused'],
  ]);
  await remove(id);
});

test('a container cannot take a host of the file, nor that of an older one until that is gone', async () => {
  const ids = [await create('thief', { route: 'filed.example/login' }), await create('first', { route: 'x.example' })];
  ids.push(await create('second', { route: 'x.example' }));
  await told(`container ${PREFIX}-thief: filed.example/login: the host filed.example is the file's`);
  await told(`container ${PREFIX}-second: x.example/ belongs to container ${PREFIX}-first`);
  await remove(ids[1] as string);
  await told(`${PREFIX}-second is declared by container ${PREFIX}-second`);
  await Promise.all([ids[0], ids[2]].map((id) => remove(id as string)));
});

test('a reload of the file keeps what is declared', async () => {
  const id = await create('kept', { route: 'kept.example' });
  await told(`${PREFIX}-kept is declared`);
  const reloaded = (await (await proxy.admin('/v1/reload', { method: 'POST' })).json()) as object;
  expect(reloaded).toMatchObject({ reloaded: true, changed: false });
  expect(await statusOf('kept.example')).toBe(200);
  await remove(id);
});

test('one that comes and goes again and again does not make the table do so', async () => {
  const before = proxy.events.length;
  for (let round = 0; round < 12; round++) {
    const id = await create('flapping', { route: 'flapping.example' });
    await until('it is read', async () => (await declarations()) !== undefined);
    await remove(id);
  }
  const id = await create('flapping', { route: 'flapping.example' });
  await until('it is there', async () => (await statusOf('flapping.example')) !== 404, 60_000);
  const changes = proxy.events.slice(before).filter(({ type }) => type === 'declared' || type === 'undeclared');
  expect(changes.length).toBeLessThanOrEqual(8);
  await remove(id);
});

test('a stack of Compose starts in the order of depends_on by a request for one of it, and sleeps together', async () => {
  const project = { 'com.docker.compose.project': PREFIX };
  const part = (service: string, labels: Record<string, string>, dependsOn = '') =>
    create(
      `stack-${service}-1`,
      { group: 'stack', 'scale.idle': '2s', ...labels },
      {
        ...project,
        'com.docker.compose.service': service,
        'com.docker.compose.depends_on': dependsOn,
      },
    );
  const web = await part('web', { route: 'stack.example' }, 'api:service_started:false');
  const api = await part('api', { route: 'api.stack.example' }, 'db:service_started:false,other:service_started:true');
  const db = await part('db', {});
  const names = ['web', 'api', 'db'].map((service) => `${PREFIX}-${service}`);
  for (const name of names) await told(`${name} is declared`);
  const before = proxy.events.length;
  expect((await proxy.request({ host: 'stack.example' })).body.toString()).toBe('declared');
  for (const name of names) await proxy.untilState(name, 'ready');
  const ready = proxy.events.slice(before).filter(({ type }) => type === 'ready');
  expect(ready.map(({ service }) => service)).toEqual(names.toReversed());
  for (const name of names) await proxy.untilState(name, 'asleep');
  for (const id of [web, api, db]) expect(await runs(id)).toBe(false);
  await proxy.untilTold('asleep', proxy.events.slice(0, before).filter(({ type }) => type === 'asleep').length + 3);
  const asleep = proxy.events.slice(before).filter(({ type }) => type === 'asleep');
  expect(asleep.map(({ service }) => service)).toEqual(names);
  await Promise.all([web, api, db].map(remove));
});
