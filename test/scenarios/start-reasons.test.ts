import { spawn } from 'node:child_process';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { describe, expect } from 'vitest';
import { MAIN } from '../support/program-file.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

/** Runs a command against the proxy. */
function command(proxy: RunningProxy, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, [MAIN, ...args, '--admin', `127.0.0.1:${proxy.adminPort}`]);
  const said = { out: '', err: '' };
  child.stdout.on('data', (text) => (said.out += text));
  child.stderr.on('data', (text) => (said.err += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}

describe.concurrent('why a start failed', () => {
  scenario('a crash is said by wake, status and the admin API, and to no client', async (stage) => {
    const script = "console.error('Error: no database at ' + process.env.DB); setTimeout(() => process.exit(7), 300)";
    const env = { DB: 'postgres://shop:pass-word@db/shop', PORT: '{port}' };
    const run = { process: { command: [process.execPath, '-e', script], env } };
    const config = { services: { crashing: { routes: [{ host: 'crashing.test' }], run } } };
    const proxy = await stage.proxy({ config });
    const woken = await command(proxy, 'wake', 'crashing');
    expect(woken.code).toBe(1);
    for (const text of [woken.err, (await command(proxy, 'status')).out]) {
      expect(text).toContain('REPLICA_EXITED');
      expect(text).toContain('exit code 7');
      expect(text).toContain('| Error: no database at $DB');
    }
    expect((await proxy.service('crashing')).startFailure).toMatchObject({
      code: 'REPLICA_EXITED',
      exitCode: 7,
      output: ['Error: no database at $DB'],
      probe: { result: 'connection refused' },
    });
    const answer = await proxy.request({ host: 'crashing.test' });
    expect(answer.status).toBe(503);
    expect(`${answer.body}${JSON.stringify(answer.headers)}`).not.toMatch(/database|exit|REPLICA|127\.0\.0\.1/);
  });

  scenario('a start that succeeds is exit 0, and nothing is wrong then', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 600 } });
    const proxy = await stage.proxy({ apps: [app] });
    expect(await command(proxy, 'wake', app.name)).toEqual({ code: 0, out: 'app is ready\n', err: '' });
    expect(await proxy.service(app.name)).toMatchObject({ startFailure: null, troubles: [] });
  });

  scenario('an engine that is not there is said in the status at once, without a request', async (stage) => {
    const socket = join(stage.workspace.folder, 'no.sock');
    const run = { docker: { image: 'pilotlight-test/none:1', port: 80 } };
    const config = { docker: { socket }, services: { boxed: { routes: [{ host: 'boxed.test' }], run } } };
    const proxy = await stage.proxy({ config });
    const { out } = await command(proxy, 'status');
    expect(out).toContain('RUNTIME_UNREACHABLE');
    expect(out).toContain(`no Docker engine at ${socket}`);
    expect((await command(proxy, 'wake', 'boxed')).err).toContain(`no Docker engine at ${socket}`);
  });

  scenario('a missing image is said in the status without a request', async (stage) => {
    const run = { docker: { image: 'pilotlight-test/no-such-image:1', port: 80 } };
    const docker = { socket: stage.workspace.dockerSocket };
    const proxy = await stage.proxy({ config: { docker, services: { boxed: { routes: [{ host: 'b.test' }], run } } } });
    await until('it is said', async () => (await proxy.service('boxed')).troubles[0]?.code === 'IMAGE_MISSING');
    expect((await command(proxy, 'status')).out).toContain('no such image: pilotlight-test/no-such-image:1');
  });

  scenario('a process that listens on ::1 alone is ready and answers', async (stage) => {
    if (!Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1'))) return;
    const script = "require('node:http').createServer((_, out) => out.end('six')).listen(process.env.PORT, '::1')";
    const run = { process: { command: [process.execPath, '-e', script], env: { PORT: '{port}' } } };
    const proxy = await stage.proxy({ config: { services: { six: { routes: [{ host: 'six.test' }], run } } } });
    const answer = await proxy.request({ host: 'six.test' });
    expect([answer.status, answer.body.toString()]).toEqual([200, 'six']);
    expect((await proxy.service('six')).replicas[0]?.address).toMatch(/^\[::1\]:\d+$/);
  });

  scenario(
    'a process that somebody ends soon after it was ready has not failed, and the next request starts it',
    async (stage) => {
      const app = await stage.app('app');
      const proxy = await stage.proxy({ apps: [app] });
      await proxy.request({ host: app.host });
      process.kill(app.log.only('boot').pid, 'SIGTERM');
      await proxy.untilTold('exited');
      expect(await proxy.service(app.name)).toMatchObject({ startFailure: null });
      expect((await proxy.request({ host: app.host })).status).toBe(200);
      expect(proxy.output).not.toContain('start-failed');
    },
  );
});
