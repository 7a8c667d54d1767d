import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { promisify } from 'node:util';
import { describe, expect } from 'vitest';
import { freePort } from '../support/free-port.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { type ProxySettings, type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);

interface Got {
  status: number;
  cold: string | undefined;
  body: string;
  code: number;
}

function get(session: ClientHttp2Session, host: string, path = '/'): Promise<Got> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': path, ':authority': host, 'x-test-id': randomUUID() });
    const got: Got = { status: 0, cold: undefined, body: '', code: 0 };
    stream.setEncoding('utf8');
    stream.on('response', (headers) => {
      got.status = Number(headers[':status']);
      got.cold = headers['x-cold-start'] as string | undefined;
    });
    stream.on('data', (text: string) => {
      got.body += text;
    });
    stream.on('error', () => {});
    stream.on('close', () => resolve({ ...got, code: stream.rstCode ?? 0 }));
  });
}

async function open(port: number): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return session;
}

/** A proxy whose one listener takes both versions. @returns it and the listener's port */
async function started(stage: Stage, settings: ProxySettings): Promise<{ proxy: RunningProxy; port: number }> {
  const port = await freePort();
  const listen = [{ address: `127.0.0.1:${port}`, http2: true }];
  return { port, proxy: await stage.proxy({ ...settings, config: { ...settings.config, listen } }) };
}

describe.concurrent('HTTP/2', () => {
  scenario('a hundred streams of one connection wake one replica, and all are answered', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 500 } });
    const { port } = await started(stage, { apps: [app] });
    const session = await open(port);
    const answers = await Promise.all(Array.from({ length: 100 }, () => get(session, app.host)));
    expect(answers.map(({ status, cold, code }) => [status, cold, code])).toEqual(answers.map(() => [200, '1', 0]));
    expect(app.log.boots()).toHaveLength(1);
    expect(await get(session, app.host)).toMatchObject({ status: 200, cold: undefined });
    session.close();
  });

  scenario('curl by prior knowledge, and in HTTP/1.1 on the same port', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 300 } });
    const { port } = await started(stage, { apps: [app] });
    const curl = async (...more: string[]) => {
      const form = '%{http_version} %{http_code}';
      const args = [
        '-sS',
        '-o',
        '/dev/null',
        '-w',
        form,
        '-H',
        `Host: ${app.host}`,
        ...more,
        `http://127.0.0.1:${port}/`,
      ];
      return (await run('curl', args)).stdout;
    };
    expect(await curl('--http2-prior-knowledge')).toBe('2 200');
    expect(await curl()).toBe('1.1 200');
    // With more than a window of 64 KiB Debian's curl 7.88 often spins for ever, before HAProxy as well.
    expect(await curl('--http2-prior-knowledge', '--data', 'x'.repeat(30_000))).toBe('2 200');
    expect(await curl('--http2')).toBe('1.1 200');
  });

  scenario('a request that is under way at SIGTERM is answered, and the connection ends by GOAWAY', async (stage) => {
    const app = await stage.app('app', { mimic: { LATENCY_MS: 700 } });
    const { proxy, port } = await started(stage, { apps: [app] });
    const session = await open(port);
    let goaway: number | undefined;
    session.on('goaway', (code) => {
      goaway = code;
    });
    expect(await get(session, app.host)).toMatchObject({ status: 200, code: 0 });
    const late = get(session, app.host);
    await until('the request is in flight', async () => (await proxy.service(app.name)).inFlight === 1);
    proxy.child.kill('SIGTERM');
    expect(await late).toMatchObject({ status: 200, code: 0 });
    await until('the connection ended', () => session.destroyed);
    expect(goaway).toBe(constants.NGHTTP2_NO_ERROR);
    expect(await proxy.exit).toBe(0);
  });

  scenario('several processes serve it as one does', async (stage) => {
    const app = await stage.app('app', { mimic: { LISTEN_MS: 300 } });
    const { port } = await started(stage, { apps: [app], config: { workers: 2 } });
    const sessions = await Promise.all(Array.from({ length: 8 }, () => open(port)));
    const answers = await Promise.all(sessions.flatMap((each) => [get(each, app.host), get(each, app.host)]));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(app.log.boots()).toHaveLength(1);
    for (const each of sessions) each.close();
  });
});
