import { execFile } from 'node:child_process';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { COMPILE_CACHE } from '../support/compile-cache.ts';
import { freePort } from '../support/free-port.ts';
import { MARK_VARIABLE } from '../support/marks.ts';
import { MAIN } from '../support/program-file.ts';
import type { RunningProxy } from '../support/proxy.ts';
import type { Answer } from '../support/raw-client.ts';
import { Relay } from '../support/relay.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command of the program to its end, in the scenario's folder. */
function pilotlight(stage: Stage, args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
  const { folder, mark } = stage.workspace;
  const own = { PATH: process.env['PATH'] ?? '', HOME: folder, [MARK_VARIABLE]: mark };
  const environment = { ...COMPILE_CACHE, ...own, ...env };
  return new Promise((resolve) => {
    const options = { cwd: folder, env: environment, timeout: 60_000, killSignal: 'SIGKILL' as const };
    const child = execFile(process.execPath, [MAIN, ...args], options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode, stdout, stderr });
    });
  });
}

async function write(stage: Stage, name: string, text: string): Promise<string> {
  const file = join(stage.workspace.folder, name);
  await writeFile(file, text);
  return file;
}

/** Exit code 1 and, beside the log, one line that says all of `words`. */
function expectOneLine({ code, stderr }: Ended, ...words: string[]): void {
  const lines = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  expect(lines).toHaveLength(1);
  for (const word of words) expect(lines[0]).toContain(word);
  expect(code).toBe(1);
}

/** The lines of the log that have all of the words; each is one JSON object. */
function logLines(proxy: RunningProxy, ...words: string[]): string[] {
  const lines = proxy.output.split('\n').filter(Boolean);
  return lines.filter((line) => words.every((word) => line.toLowerCase().includes(word.toLowerCase())));
}

function expectUnavailable(answer: Answer): void {
  expect(answer.status).toBe(503);
  expect(answer.headers['retry-after']).toMatch(/^[1-9]\d*$/);
}

const minimal = (stage: Stage, listen: number, admin: number): string =>
  JSON.stringify({
    listen: [{ address: `127.0.0.1:${listen}` }],
    admin: { address: `127.0.0.1:${admin}` },
    state: join(stage.workspace.folder, 'state'),
    services: { app: { routes: [{ path: '/' }], endpoints: { static: ['127.0.0.1:9'] } } },
  });

async function occupied(stage: Stage): Promise<number> {
  const server = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  stage.onEnd(() => server.close());
  return port;
}

describe.concurrent('bad input', () => {
  scenario('a file that does not exist is named', async (stage) => {
    expectOneLine(await pilotlight(stage, ['run', '-c', 'absent.yaml']), 'absent.yaml');
  });

  scenario('without any file it says where it looked', async (stage) => {
    const ended = await pilotlight(stage, ['run'], { XDG_CONFIG_HOME: join(stage.workspace.folder, 'xdg') });
    expectOneLine(
      ended,
      'pilotlight.yaml',
      join(stage.workspace.folder, 'xdg/pilotlight/config.yaml'),
      '/etc/pilotlight',
    );
  });

  scenario('a misspelt key is pointed at, with a suggestion', async (stage) => {
    const file = await write(stage, 'wrong.yaml', 'listen:\n  - address: 127.0.0.1:0\nservices: {}\nbugdet: {}\n');
    for (const command of ['check', 'run']) {
      const { code, stdout, stderr } = await pilotlight(stage, [command, '-c', file]);
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(/wrong\.yaml:4:1\s+bugdet: .*budget/);
    }
  });

  scenario('what is not YAML is pointed at', async (stage) => {
    const file = await write(stage, 'broken.yaml', 'listen: [\n');
    const { code, stdout, stderr } = await pilotlight(stage, ['run', '-c', file]);
    expect(code).toBe(1);
    expect(stdout + stderr).toMatch(/broken\.yaml:\d+:\d+/);
    expect(stdout + stderr).not.toMatch(/^\s+at /m);
  });

  scenario('a wrong command or option is wrong usage', async (stage) => {
    for (const args of [['frobnicate'], ['run', '--frobnicate'], ['wake']]) {
      const { code, stderr } = await pilotlight(stage, args);
      expect([args.join(' '), code]).toEqual([args.join(' '), 2]);
      expect(stderr.trim().split('\n')[0]).toBeTruthy();
    }
  });

  scenario('a port in use is named, the public one and the admin one', async (stage) => {
    const [taken, free] = [await occupied(stage), await freePort()];
    for (const [listen, admin] of [
      [taken, free],
      [free, taken],
    ] as const) {
      const file = await write(stage, 'ports.yaml', minimal(stage, listen, admin));
      expectOneLine(await pilotlight(stage, ['run', '-c', file]), `127.0.0.1:${taken}`, 'in use');
    }
  });

  scenario('a state directory that another proxy holds is named', async (stage) => {
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app] });
    const state = join(proxy.folder, 'state');
    const config = { ...JSON.parse(minimal(stage, await freePort(), await freePort())), state };
    const file = await write(stage, 'second.yaml', JSON.stringify(config));
    expectOneLine(await pilotlight(stage, ['run', '-c', file]), state);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
  });

  scenario('commands say so when no proxy answers', async (stage) => {
    const admin = `http://127.0.0.1:${await freePort()}`;
    for (const args of [['status'], ['wake', 'app'], ['sleep', 'app']]) {
      expectOneLine(await pilotlight(stage, [...args, '--admin', admin]), admin.slice('http://'.length));
    }
  });

  scenario('without a Docker socket its services answer 503 and the others are served', async (stage) => {
    const socket = join(stage.workspace.folder, 'no.sock');
    const docker = { image: 'pilotlight-test/none:1', port: 80 };
    const services = { boxed: { routes: [{ host: 'boxed.test' }], run: { docker } } };
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [app], config: { docker: { socket }, services } });
    expectUnavailable(await proxy.request({ host: 'boxed.test' }));
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    await until('it is said', () => logLines(proxy, socket).length > 0);
  });

  scenario('without the right to the Docker socket the same, and the log says which right', async (stage) => {
    const { folder } = stage.workspace;
    await chmod(join(folder, '..'), 0o755);
    const socket = join(folder, 'forbidden.sock');
    const relay = await Relay.open({ path: socket }, { path: stage.workspace.dockerSocket });
    stage.onEnd(() => relay.cut());
    await chmod(socket, 0o600);
    const docker = { image: 'pilotlight-test/none:1', port: 80 };
    const services = { boxed: { routes: [{ host: 'boxed.test' }], run: { docker } } };
    const state = join(folder, 'state');
    await mkdir(state);
    await chmod(state, 0o777);
    // Root has every right: as nobody. Who is not root must not have it to his own socket.
    const root = process.getuid?.() === 0;
    if (!root) await chmod(socket, 0);
    const config = { docker: { socket }, services, state };
    const proxy = await stage.proxy({ config, ...(root ? { uid: 65_534 } : {}) });
    expectUnavailable(await proxy.request({ host: 'boxed.test' }));
    await until('it is said', () => logLines(proxy, socket, 'no right').length > 0);
    expect(proxy.alive).toBe(true);
  });

  scenario('without Consul the proxy is ready within 5 s and serves what it knows', async (stage) => {
    const address = `http://127.0.0.1:${await freePort()}`;
    const backend = await stage.app('backend');
    const first = await stage.proxy({ apps: [backend] });
    expect((await first.request({ host: backend.host })).status).toBe(200);
    const port = backend.log.only('listening').port;
    const services = {
      known: {
        routes: [{ host: 'known.test' }],
        endpoints: { consul: { service: 'known' }, static: [`127.0.0.1:${port}`] },
      },
      unknown: { routes: [{ host: 'unknown.test' }], endpoints: { consul: { service: 'unknown' } } },
    };
    const app = await stage.app('app', { service: { endpoints: { consul: { service: 'app' } } } });
    const proxy = await stage.launch({ apps: [app], config: { consul: { address }, services } });
    const answers = async (path: string) => (await proxy.admin(path).catch(() => undefined))?.status === 200;
    await until('it is up', () => answers('/healthz'));
    const up = Date.now();
    await until('it is ready', () => answers('/readyz'));
    // It would wait for ever for Consul; a busy machine takes its time for the rest.
    expect(Date.now() - up).toBeLessThanOrEqual(25_000);
    await proxy.ready();
    expect((await proxy.request({ host: 'known.test' })).status).toBe(200);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    expectUnavailable(await proxy.request({ host: 'unknown.test' }));
    await until('it is said', () => logLines(proxy, address.slice('http://'.length)).length > 0);
    expect(logLines(proxy, 'consul', address.slice('http://'.length)).length).toBeLessThan(10);
  });

  scenario('an image that does not exist is named in the log', async (stage) => {
    const image = 'pilotlight-test/no-such-image:2';
    const services = { boxed: { routes: [{ host: 'boxed.test' }], run: { docker: { image, port: 80 } } } };
    const app = await stage.app('app');
    const proxy = await stage.proxy({
      apps: [app],
      config: { docker: { socket: stage.workspace.dockerSocket }, services },
    });
    expectUnavailable(await proxy.request({ host: 'boxed.test' }));
    expect((await proxy.request({ host: app.host })).status).toBe(200);
    await until('it is said', () => logLines(proxy, image).length > 0);
  });

  scenario('a command that exits at once is reported with its exit code', async (stage) => {
    const exits = await stage.app('exits', { mimic: { EXIT_CODE: 3 } });
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [exits, app] });
    expectUnavailable(await proxy.request({ host: exits.host }));
    const told = await proxy.untilTold('start-failed');
    expect(told.service).toBe('exits');
    expect(told.message).toMatch(/\b3\b/);
    expect(told.message).not.toContain('\n');
    expect((await proxy.request({ host: app.host })).status).toBe(200);
  });

  scenario('a service that never gets ready is reported, and its replica is not left behind', async (stage) => {
    const ready = { path: '/', status: '200-499', timeout: '2s' };
    const mimic = { READY_MS: 'never', BEFORE_READY: 'hang' };
    const never = await stage.app('never', { mimic, service: { ready } });
    const app = await stage.app('app');
    const proxy = await stage.proxy({ apps: [never, app] });
    expectUnavailable(await proxy.request({ host: never.host }));
    await proxy.untilTold('start-failed');
    await until('it is told to end', () => never.log.events('term').length === never.log.boots().length);
    expect((await proxy.request({ host: app.host })).status).toBe(200);
  });
});
