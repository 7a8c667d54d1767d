import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { describe, expect } from 'vitest';
import { type Made, makeCertificate } from '../support/certificates.ts';
import { run } from '../support/command.ts';
import { freePort } from '../support/free-port.ts';
import { isAlive } from '../support/remains.ts';
import { type Stage, scenario } from '../support/scenario.ts';
import { until } from '../support/until.ts';

const HOST = 'app.test';
const make = () => makeCertificate({ names: [HOST] });

/** A listener that ends TLS, one that sends to it, and how to change the certificate. */
async function secured(stage: Stage, first: Made = make()) {
  const [secure, plain] = [await freePort(), await freePort()];
  const at = (name: string) => join(stage.workspace.folder, name);
  const put = ({ cert, key }: Made): void => {
    writeFileSync(at('site.pem.new'), cert);
    writeFileSync(at('site.key.new'), key, { mode: 0o600 });
    for (const name of ['site.pem', 'site.key']) renameSync(at(`${name}.new`), at(name));
  };
  put(first);
  const tls = { certificates: [{ cert: at('site.pem'), key: at('site.key') }] };
  const listen = [
    // An open connection on which nothing is asked is to stay.
    { address: `127.0.0.1:${secure}`, tls, timeouts: { head: '60s' } },
    { address: `127.0.0.1:${plain}`, redirectToHttps: true },
  ];
  return { secure, plain, listen, put, at };
}

/** A connection whose handshake is over. */
function handshake(port: number, session?: Buffer): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', servername: HOST, rejectUnauthorized: false };
    const socket = connect({ ...options, ...(session && { session }) }, () => resolve(socket));
    socket.on('error', reject);
  });
}

/** Fingerprint of the certificate that a new connection is shown. */
async function shown(port: number): Promise<string | undefined> {
  const socket = await handshake(port);
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256;
  socket.destroy();
  return fingerprint;
}

/** How many of so many new connections resume a session. */
async function resumed(port: number, session: Buffer, count: number): Promise<number> {
  let all = 0;
  for (let i = 0; i < count; i++) {
    const socket = await handshake(port, session);
    if (socket.isSessionReused()) all++;
    socket.destroy();
  }
  return all;
}

async function sessionOf(port: number): Promise<Buffer> {
  const socket = await handshake(port);
  const session = await new Promise<Buffer>((resolve) => socket.once('session', resolve));
  socket.destroy();
  return session;
}

describe('TLS', () => {
  scenario('a client that trusts the certificate wakes a service, from http:// on', async (stage) => {
    const app = await stage.app('app');
    const { secure, plain, listen, at } = await secured(stage);
    const proxy = await stage.proxy({ apps: [app], config: { listen } });
    const where = ['--resolve', `${HOST}:${plain}:127.0.0.1`, '--resolve', `${HOST}:${secure}:127.0.0.1`];
    const ask = (...more: string[]) =>
      run('curl', [
        '-sS',
        '-L',
        '--cacert',
        at('site.pem'),
        ...where,
        '-w',
        '\n%{http_code} %{http_version} %{url_effective}',
        ...more,
      ]);
    const url = `http://${HOST}:${plain}/?echo=1`;
    expect((await ask(url)).split('\n').at(-1)).toBe(`200 2 https://${HOST}:${secure}/?echo=1`);
    expect((await ask('--http1.1', url)).split('\n').at(-1)).toBe(`200 1.1 https://${HOST}:${secure}/?echo=1`);
    expect(app.log.boots()).toHaveLength(1);
    expect(await proxy.metric('pilotlight_tls_handshakes_total', { outcome: 'full' })).toBe(2);
    expect(await proxy.metric('pilotlight_certificate_days_left')).toBeGreaterThan(29);
  });

  for (const workers of [1, 2]) {
    scenario(`with ${workers} process(es), a renewed certificate is taken over by itself`, async (stage) => {
      const app = await stage.app('app');
      const [first, second] = [make(), make()];
      const { secure, listen, put, at } = await secured(stage, first);
      const proxy = await stage.proxy({ apps: [app], config: { listen, workers } });
      const before = await shown(secure);
      const open = await handshake(secure);
      put(second);
      await proxy.untilTold('certificate-changed');
      await until('it is shown', async () => (await shown(secure)) !== before);
      // A pair that does not fit is said once, and the one before serves on.
      const after = await shown(secure);
      writeFileSync(at('site.pem'), first.cert);
      await proxy.untilTold('certificate-refused');
      proxy.signal('SIGHUP');
      await proxy.untilTold('reloaded');
      expect(await shown(secure)).toBe(after);
      put(first);
      await proxy.untilTold('certificate-changed', 2);
      await until('the first one is back', async () => (await shown(secure)) === before);
      expect(proxy.events.filter(({ type }) => type === 'certificate-refused')).toHaveLength(1);
      expect(open.destroyed).toBe(false);
      open.destroy();
      expect(proxy.output).not.toContain('PRIVATE KEY');
    });
  }

  scenario('a session is resumed by other workers, and by the process after an upgrade', async (stage) => {
    const app = await stage.app('app', { service: { timeouts: { drain: '2s' } } });
    const { secure, listen } = await secured(stage);
    const proxy = await stage.proxy({ apps: [app], config: { listen, workers: 2 } });
    const session = await sessionOf(secure);
    // Connections go to either worker: to the same one every time only once in a million.
    expect(await resumed(secure, session, 20)).toBe(20);
    const before = proxy.pid;
    proxy.signal('SIGUSR2');
    await until('a successor serves', () => proxy.output.includes('"event":"upgraded"'), 60_000);
    await until('the old one has ended', () => !isAlive(before), 60_000);
    expect(await resumed(secure, session, 20)).toBe(20);
  });

  scenario('a certificate that cannot be used keeps the proxy from starting, in one line', async (stage) => {
    const { listen, at } = await secured(stage, { cert: make().cert, key: make().key });
    const proxy = await stage.launch({ apps: [await stage.app('app')], config: { listen } });
    expect(await proxy.exit).toBe(1);
    expect(proxy.output.trim().split('\n').at(-1)).toContain(
      `${at('site.key')}: is not the key of the certificate in ${at('site.pem')}`,
    );
  });
});
