import { mkdirSync, writeFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { join } from 'node:path';
import { type Client, status } from '@grpc/grpc-js';
import { describe, expect } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type Bytes, echoClient, methods } from '../support/grpc-service.ts';
import type { RunningProxy } from '../support/proxy.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const SERVICE = join(import.meta.dirname, '../support/grpc-service.ts');
const HOST = 'echo.test';

/** A service of gRPC that the proxy starts. */
function service(run: Record<string, unknown> = {}): Record<string, unknown> {
  const env = { PORT: '{port}', LISTEN_MS: '500' };
  return {
    routes: [{ host: HOST }],
    run: { process: { command: [process.execPath, SERVICE], env, ...run } },
    upstream: { protocol: 'http2' },
    scale: { idle: '10m' },
  };
}

async function started(stage: Stage, echo = service()): Promise<{ proxy: RunningProxy; port: number; client: Client }> {
  const port = await freePort();
  const listen = [{ address: `127.0.0.1:${port}`, http2: true }];
  const proxy = await stage.proxy({ config: { listen, services: { echo } } });
  const client = echoClient(port, HOST);
  return { proxy, port, client };
}

const { one, talk } = methods;

function ask(client: Client, text: string): Promise<[number, string | undefined]> {
  return new Promise((resolve) => {
    const done = (error: { code: number } | null, bytes?: Bytes) => resolve([error?.code ?? 0, bytes?.toString()]);
    client.makeUnaryRequest(one.path, one.requestSerialize, one.responseDeserialize, Buffer.from(text), done);
  });
}

describe('gRPC', () => {
  scenario('calls wake a service that sleeps, once, and all are answered', async (stage) => {
    const { proxy, client } = await started(stage);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, index) => ask(client, String(index))));
    expect(answers).toEqual(Array.from({ length: 30 }, (_, index) => [status.OK, String(index)]));
    expect(await proxy.metric('pilotlight_cold_starts_total', { service: 'echo' })).toBe(1);
    client.close();
  });

  scenario('a call under way goes on over a reload that replaces its replica, and loses no message', async (stage) => {
    const { proxy, port, client } = await started(stage);
    const stream = client.makeBidiStreamRequest(talk.path, talk.requestSerialize, talk.responseDeserialize);
    const heard: string[] = [];
    let code = -1;
    stream.on('data', (message: Bytes) => heard.push(message.toString()));
    stream.on('error', () => undefined);
    stream.on('status', (ended: { code: number }) => {
      code = ended.code;
    });
    const say = async (text: string) => {
      stream.write(Buffer.from(text));
      await until(`the echo of ${text}`, () => heard.at(-1) === text, 60_000, 5);
    };
    await say('before');
    const echo = service({ env: { PORT: '{port}', LISTEN_MS: '501' } });
    await proxy.reload({ listen: [{ address: `127.0.0.1:${port}`, http2: true }], services: { echo } });
    await proxy.untilTold('reloaded');
    await say('after the reload');
    expect(await ask(client, 'beside')).toEqual([status.OK, 'beside']);
    await say('still');
    stream.end();
    await until('the end', () => code >= 0, 60_000, 5);
    expect([heard, code]).toEqual([['before', 'after the reload', 'still'], status.OK]);
    client.close();
  });
});

describe('a service with TLS', () => {
  scenario('is reached by the authorities that the file names, which a reload reads anew', async (stage) => {
    const folder = join(stage.workspace.folder, 'tls');
    mkdirSync(folder);
    const [authority, other] = [1, 2].map(() => makeCertificate({ names: [], subject: '/CN=ca', isAuthority: true }));
    const site = makeCertificate({ names: ['app.internal'], ...(authority === undefined ? {} : { by: authority }) });
    const server = createSecureServer({ cert: site.cert, key: site.key, allowHTTP1: true }, (_, response) => {
      response.end('secret');
    });
    stage.onEnd(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const ca = join(folder, 'ca.pem');
    writeFileSync(ca, other?.cert ?? '');
    const app = {
      routes: [{ host: HOST }],
      endpoints: { static: [`127.0.0.1:${port}`] },
      upstream: { tls: { ca, serverName: 'app.internal' } },
    };
    const proxy = await stage.proxy({ config: { services: { app } } });
    const get = () => proxy.request({ host: HOST, path: '/' });
    expect((await get()).status).toBe(502);
    const { message } = await proxy.untilTold('unreachable');
    expect(message).toContain(`app cannot connect to 127.0.0.1:${port}: no authority that is trusted has signed`);
    writeFileSync(ca, authority?.cert ?? '');
    await proxy.reload({ services: { app } });
    await proxy.untilTold('reloaded');
    await until('the answer', async () => (await get()).status === 200, 30_000);
  });
});
