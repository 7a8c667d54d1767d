import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { build, ensureBaseImage } from '../support/base-image.ts';
import {
  containerLogs,
  dockerApi,
  expectStatus,
  listContainers,
  startContainer,
  TEST_LABEL,
} from '../support/docker-api.ts';
import { buildAppImage } from '../support/images.ts';
import { until } from '../support/until.ts';

const socket = inject('dockerSocket');
const docker = dockerApi(socket);
const labels = { [TEST_LABEL]: inject('dockerRun') };
const root = join(import.meta.dirname, '../..');
const BASE = 'pilotlight-test/base:1';
const IMAGE = 'pilotlight-test/pilotlight:1';
const APP = 'pilotlight-test/behind:1';

interface Inspected {
  State: { Running: boolean; ExitCode: number; Health?: { Status: string } };
  Config: { User: string };
  NetworkSettings: { IPAddress: string };
}

const inspect = async (id: string) => (await docker<Inspected>('GET', `/containers/${id}/json`)).json;

beforeAll(async () => {
  await ensureBaseImage(docker, BASE);
  const entries = [
    'Dockerfile',
    'package.json',
    'package-lock.json',
    'LICENSE',
    'tsconfig.json',
    'tsconfig.build.json',
  ];
  const buildargs = JSON.stringify({ NODE_IMAGE: BASE });
  const query = new URLSearchParams({ t: IMAGE, rm: '1', forcerm: '1', buildargs });
  await build(docker, root, [...entries, 'toolchain/package.json', 'src', 'config'], query);
  await buildAppImage(docker, {
    tag: APP,
    files: {},
    cmd: ['node', '-e', "require('node:http').createServer((_, out) => out.end('from behind')).listen(3000)"],
  });
}, 600_000);

afterAll(async () => {
  for (const { Id } of await listContainers(docker, 'pilotlight.service=behind')) {
    await docker('DELETE', `/containers/${Id}?force=1`);
  }
});

test('the image runs as a plain user under an init, gets healthy, answers on 8080 and keeps its admin API inside', async () => {
  const id = await startContainer(docker, { Image: IMAGE, Labels: labels });
  await until(
    'the container is healthy',
    async () => (await inspect(id)).State.Health?.Status === 'healthy',
    150_000,
    250,
  );
  const { Config, NetworkSettings } = await inspect(id);
  expect(Config.User).toBe('1000:1000');
  const answer = await fetch(`http://${NetworkSettings.IPAddress}:8080/`);
  expect(answer.status).toBe(200);
  expect(answer.headers.get('x-cold-start')).toBe('1');
  await expect(fetch(`http://${NetworkSettings.IPAddress}:9400/healthz`)).rejects.toThrow();
  expectStatus(await docker('POST', `/containers/${id}/stop?t=45`), 204);
  expect((await inspect(id)).State, await containerLogs(socket, id)).toMatchObject({ Running: false, ExitCode: 0 });
}, 240_000);

test('from inside its container it wakes another container and answers', async () => {
  const config = {
    listen: [{ address: '0.0.0.0:8080' }],
    docker: { socket: '/run/docker.sock', reach: 'container' },
    services: { behind: { routes: [{ path: '/' }], run: { docker: { image: APP, port: 3000 } }, onExit: 'stop' } },
  };
  const id = await startContainer(docker, {
    Image: IMAGE,
    Labels: labels,
    Entrypoint: [
      'tini',
      '--',
      'sh',
      '-c',
      'printf %s "$CONFIG" > /tmp/c.yaml && exec node /app/dist/pilotlight.js run -c /tmp/c.yaml',
    ],
    Cmd: [],
    Env: [`CONFIG=${JSON.stringify(config)}`],
    HostConfig: { Binds: [`${socket}:/run/docker.sock`], GroupAdd: [String((await stat(socket)).gid)] },
  });
  const { NetworkSettings } = await inspect(id);
  const url = `http://${NetworkSettings.IPAddress}:8080/`;
  let answer: Response | undefined;
  let text = '';
  await until(
    'the proxy answers',
    async () => {
      // Longer than the proxy holds a request.
      const asked = fetch(url, { signal: AbortSignal.timeout(35_000) });
      answer = await asked.catch((error: Error) => {
        if (error.name === 'TimeoutError') throw error;
        return undefined;
      });
      text = (await answer?.text()) ?? '';
      return answer !== undefined;
    },
    120_000,
    100,
  ).catch(async (error) => {
    throw new Error(`${error.message}\n${await containerLogs(socket, id)}`);
  });
  expect(text, await containerLogs(socket, id)).toBe('from behind');
  expect(answer?.headers.get('x-cold-start')).toBe('1');
  expectStatus(await docker('POST', `/containers/${id}/stop?t=45`), 204);
  const running = (await listContainers(docker, 'pilotlight.service=behind')).filter(
    ({ State }) => State === 'running',
  );
  expect(running).toEqual([]);
}, 240_000);
