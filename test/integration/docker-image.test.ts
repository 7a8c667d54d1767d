import { stat } from 'node:fs/promises';
import { connect } from 'node:net';
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

/** Takes upgrades and says nothing then. */
const SOCKETS = `require('node:http').createServer((_, out) => out.end('up')).on('upgrade', (_, socket) => socket
  .on('error', () => {}).write('HTTP/1.1 101 Switching Protocols\\r\\nConnection: upgrade\\r\\nUpgrade: websocket\\r\\n\\r\\n'))
  .listen(process.env.PORT, '127.0.0.1')`;

test('docker stop with an open WebSocket ends it in order when the drain is over', async () => {
  const run = { process: { command: ['node', '-e', SOCKETS], env: { PORT: '{port}' } } };
  const config = {
    listen: [{ address: '0.0.0.0:8080' }],
    services: { sockets: { routes: [{ path: '/' }], run, timeouts: { drain: '3s' } } },
  };
  const start = 'printf %s "$CONFIG" > /tmp/c.yaml && exec node /app/dist/pilotlight.js run -c /tmp/c.yaml';
  const id = await startContainer(docker, {
    Image: IMAGE,
    Labels: labels,
    Entrypoint: ['tini', '--', 'sh', '-c', start],
    Cmd: [],
    Env: [`CONFIG=${JSON.stringify(config)}`],
  });
  const { NetworkSettings } = await inspect(id);
  const host = NetworkSettings.IPAddress;
  await until(
    'the service answers',
    async () => (await fetch(`http://${host}:8080/`).catch(() => undefined))?.status === 200,
    120_000,
    100,
  );
  const client = connect(8080, host);
  const came: Buffer[] = [];
  client.on('data', (bytes) => came.push(bytes));
  const ended = new Promise<string>((resolve) => {
    client.on('end', () => resolve('in order')).on('error', ({ message }) => resolve(message));
  });
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n');
  await until('the switch', () => Buffer.concat(came).includes('\r\n\r\n'));
  expectStatus(await docker('POST', `/containers/${id}/stop?t=60`), 204);
  expect(await ended).toBe('in order');
  // Close, 1001 "going away".
  expect([...Buffer.concat(came).subarray(-4)]).toEqual([0x88, 0x02, 0x03, 0xe9]);
  expect((await inspect(id)).State, await containerLogs(socket, id)).toMatchObject({ Running: false, ExitCode: 0 });
}, 240_000);
