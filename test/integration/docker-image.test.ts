import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { blocksOfPage } from '../docs/pages.ts';
import { build, ensureBaseImage } from '../support/base-image.ts';
import { run } from '../support/command.ts';
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
  HostConfig: { ReadonlyRootfs: boolean; CapDrop: string[] };
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
  await build(docker, root, [...entries, 'toolchain', 'src', 'config', 'packaging'], query);
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

/** Runs a command of the page as it stands there, but for what must be this test's own. @returns the container's id */
async function runAsDocumented(beginning: string, own: readonly (readonly [theirs: string, ours: string])[] = []) {
  const lines = blocksOfPage('docs/image.md').flatMap(({ text }) => text.replaceAll('\\\n', ' ').split('\n'));
  const [line = ''] = lines.filter((each) => each.startsWith(beginning));
  const label = Object.entries(labels).map(([name, value]) => `--label ${name}=${value}`);
  let command = line
    .replace(/ pilotlight$/, ` ${IMAGE}`)
    .replace(/^docker run( -d)?/, `docker run -d ${label.join(' ')}`);
  for (const [theirs, ours] of [['-p 8080:8080', '-p 127.0.0.1::8080'] as const, ...own]) {
    expect(command).toContain(theirs);
    command = command.replaceAll(theirs, ours);
  }
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}` };
  return (await run('sh', ['-c', command], { env })).trim();
}

test('the image is under 200 MB, and holds what it is made of', async () => {
  const { Size } = (await docker<{ Size: number }>('GET', `/images/${IMAGE}/json`)).json;
  expect(Size / 1e6).toBeLessThan(200);
  expect(Size / 1e6).toBeGreaterThan(50);
  const script = `
    set -e
    grep -q '"bomFormat": "CycloneDX"' dist/materials/sbom.cdx.json
    grep -q '^yaml .* ISC$' dist/materials/licences.txt
    test -s /usr/local/share/man/man1/pilotlight.1
    test -s /usr/local/share/bash-completion/completions/pilotlight
    test -s /usr/local/share/zsh/site-functions/_pilotlight
    test -s /usr/local/share/fish/vendor_completions.d/pilotlight.fish
    pilotlight version`;
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}` };
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  expect((await run('docker', ['run', '--rm', '--entrypoint', 'sh', IMAGE, '-c', script], { env })).trim()).toBe(
    version,
  );
}, 240_000);

test('the one line of the page: a plain user under an init, healthy, answers on 8080, the admin API stays inside', async () => {
  const id = await runAsDocumented('docker run --rm');
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
  const waited = docker<{ StatusCode: number }>('POST', `/containers/${id}/wait?condition=removed`);
  expectStatus(await docker('POST', `/containers/${id}/stop?t=45`), 204);
  expect((await waited).json.StatusCode).toBe(0);
}, 240_000);

test('with a read-only root and no capabilities it wakes another container and answers', async () => {
  const config = {
    listen: [{ address: '0.0.0.0:8080' }],
    docker: { socket: '/var/run/docker.sock', reach: 'container' },
    services: { behind: { routes: [{ path: '/' }], run: { docker: { image: APP, port: 3000 } }, onExit: 'stop' } },
  };
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-image-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await chmod(folder, 0o755);
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
  const name = `pilotlight-test-${inject('dockerRun')}`;
  const id = await runAsDocumented('docker run -d', [
    ['--name pilotlight', `--name ${name}`],
    ['/etc/pilotlight:/etc', `${folder}:/etc`],
    ['-v pilotlight:', `-v ${name}:`],
    ['-v /var/run/docker.sock:', `-v ${socket}:`],
    ['stat -c %g /var/run/docker.sock', `stat -c %g ${socket}`],
  ]);
  onTestFinished(async () => {
    await docker('DELETE', `/containers/${id}?force=1`);
    expectStatus(await docker('DELETE', `/volumes/${name}`), 204);
  });
  const { NetworkSettings, HostConfig } = await inspect(id);
  expect(HostConfig).toMatchObject({ ReadonlyRootfs: true, CapDrop: ['ALL'] });
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
  const env = { ...process.env, DOCKER_HOST: `unix://${socket}` };
  expect(await run('docker', ['exec', name, 'pilotlight', 'status', '--names'], { env })).toBe('behind\n');
  expectStatus(await docker('POST', `/containers/${id}/stop?t=45`), 204);
  expect((await inspect(id)).State, await containerLogs(socket, id)).toMatchObject({ Running: false, ExitCode: 0 });
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
