/**
 * How much a wake costs beyond the runtime's own start and the app's own time to its first answer, for processes and
 * for Docker with both reaches. Each round starts the same app twice, bare and through the proxy, so that both see the
 * machine in the same mood; medians are printed. Usage: `npm run load:wake [-- ROUNDS]`
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { type App, makeApp, type Place } from '../test/support/app.ts';
import { type DockerCall, dockerApi, expectStatus, removeContainers } from '../test/support/docker-api.ts';
import { type DockerEngine, findOrStartDocker } from '../test/support/docker-engine.ts';
import { freePort } from '../test/support/free-port.ts';
import { MARK_LABEL, MARK_VARIABLE, RUN_LABEL } from '../test/support/marks.ts';
import { RunningProxy } from '../test/support/proxy.ts';
import { epochNow, pause, request } from '../test/support/raw-client.ts';
import { makeWorkspace, type Workspace } from '../test/support/workspace.ts';
import { countsFrom } from './support/arguments.ts';

const APP_START_MS = 1_000;
const CONTAINER_PORT = 3000;
const PLACES = ['process', 'docker-container', 'docker-host'] as const satisfies Place[];

/** One start without the proxy: what the runtime's call took, and all until the first 200. Milliseconds. */
interface BareStart {
  call: number;
  total: number;
}

/** Starts the app, asks it until it answers, and ends it again. */
type Bare = () => Promise<BareStart>;

const [rounds] = countsFrom('usage: npm run load:wake [-- ROUNDS]', 10);
const engine = await findOrStartDocker();
const workspace = await makeWorkspace(engine.socket);
try {
  console.log(`${rounds} rounds; the app opens its port ${APP_START_MS} ms after its start; medians in ms\n`);
  console.log(['', 'start call', 'bare', 'through proxy', 'overhead', '(min', 'max)'].map(cell).join(''));
  for (const place of PLACES) await measure(place, workspace, engine);
} finally {
  await removeContainers(dockerApi(engine.socket), `${MARK_LABEL}=${workspace.mark}`);
  await rm(workspace.folder, { recursive: true, force: true });
  await engine.stop();
}

async function measure(place: (typeof PLACES)[number], space: Workspace, { socket }: DockerEngine): Promise<void> {
  const app = await makeApp(space, place, { place, mimic: { LISTEN_MS: APP_START_MS } });
  const reach = place === 'docker-host' ? 'host' : 'container';
  const config = { docker: { socket, reach }, services: { [app.name]: app.service } };
  const proxy = await (await RunningProxy.launch({ workspace: space, config })).ready();
  const bare = place === 'process' ? bareProcess(app) : await bareContainer(app, space, dockerApi(socket), reach);
  const [calls, bares, waits, overheads]: number[][] = [[], [], [], []];
  for (let round = 0; round < rounds; round++) {
    const own = await bare();
    const sentAt = epochNow();
    const answer = await request(proxy.port, { host: app.host });
    if (answer.status !== 200) throw new Error(`${place}: answered ${answer.status}\n${proxy.output}`);
    const wait = answer.endedAt - sentAt;
    calls?.push(own.call);
    bares?.push(own.total);
    waits?.push(wait);
    overheads?.push(wait - own.total);
    await proxy.sleep(app.name);
    await proxy.untilState(app.name, 'asleep');
  }
  await proxy.stop();
  const over = overheads ?? [];
  const numbers = [median(calls), median(bares), median(waits), median(over), Math.min(...over), Math.max(...over)];
  console.log([place, ...numbers.map((ms) => ms.toFixed(1))].map(cell).join(''));
}

function bareProcess(app: App): Bare {
  const { process: run } = app.service['run'] as { process: { command: string[]; env: Record<string, string> } };
  const [program = '', ...args] = run.command;
  return async () => {
    const port = await freePort();
    const env = { PATH: process.env['PATH'] ?? '', ...run.env, PORT: String(port) };
    const startedAt = epochNow();
    const child: ChildProcess = spawn(program, args, { env, stdio: 'ignore', detached: true });
    const call = epochNow() - startedAt;
    const total = (await firstAnswer(port, '127.0.0.1')) - startedAt;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    return { call, total };
  };
}

async function bareContainer(app: App, space: Workspace, docker: DockerCall, reach: string): Promise<Bare> {
  type Run = { docker: { image: string; env: Record<string, string>; volumes: string[] } };
  const { image, env, volumes } = (app.service['run'] as Run).docker;
  const key = `${CONTAINER_PORT}/tcp`;
  const published = reach === 'host' ? { [key]: [{ HostIp: '127.0.0.1', HostPort: '' }] } : {};
  const spec = {
    Image: image,
    Env: Object.entries({ ...env, [MARK_VARIABLE]: space.mark }).map(([name, value]) => `${name}=${value}`),
    Labels: { [MARK_LABEL]: space.mark, [RUN_LABEL]: space.run },
    HostConfig: { Binds: volumes, PortBindings: published, Init: true },
  };
  const { Id } = expectStatus(await docker<{ Id: string }>('POST', '/containers/create', spec), 201).json;
  return async () => {
    const startedAt = epochNow();
    expectStatus(await docker('POST', `/containers/${Id}/start`), 204);
    const call = epochNow() - startedAt;
    type Found = { NetworkSettings: { IPAddress: string; Ports: Record<string, { HostPort: string }[] | null> } };
    const { NetworkSettings } = expectStatus(await docker<Found>('GET', `/containers/${Id}/json`), 200).json;
    const hostPort = Number(NetworkSettings.Ports[key]?.[0]?.HostPort);
    const [host, port] = reach === 'host' ? ['127.0.0.1', hostPort] : [NetworkSettings.IPAddress, CONTAINER_PORT];
    const total = (await firstAnswer(port as number, host as string)) - startedAt;
    expectStatus(await docker('POST', `/containers/${Id}/kill`), 204);
    await docker('POST', `/containers/${Id}/wait`);
    return { call, total };
  };
}

/** Asks every few milliseconds, as closely as possible, until there is an answer; returns the time of it. */
async function firstAnswer(port: number, host: string): Promise<number> {
  for (;;) {
    try {
      const answer = await request(port, { timeout: 1_000 }, host);
      if (answer.status === 200) return answer.endedAt;
    } catch {
      // Nobody listens yet.
    }
    await pause(2);
  }
}

function median(values: readonly number[] = []): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 0
    ? ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
    : (sorted[Math.floor(middle)] ?? 0);
}

function cell(text: string): string {
  return text.padStart(18);
}
