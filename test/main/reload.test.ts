import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { until } from '../support/until.ts';
import { demoService, logOf, type Place, type Program, place, serve } from './program.ts';

async function hangup(program: Program, event: string): Promise<Record<string, unknown>> {
  const before = logOf(program).length;
  program.child.kill('SIGHUP');
  let found: Record<string, unknown> | undefined;
  await until(event, () => {
    found = logOf(program)
      .slice(before)
      .find((line) => line['event'] === event);
    return found !== undefined;
  });
  return found ?? {};
}

async function status(at: Place, path: string): Promise<number> {
  return (await fetch(`${at.url}${path}`)).status;
}

test('a wrong file changes nothing and the log says why, a line per problem', async () => {
  const at = await place();
  const program = await serve(at);
  expect(await status(at, '/hello')).toBe(200);
  await writeFile(at.file, 'listn: []\nservices: {}\n');
  const event = await hangup(program, 'reload-failed');
  expect(event['msg']).toMatch(/^not reloaded, nothing changed: .*pilotlight\.yaml:1:1 .*did you mean "listen"/);
  const lines = logOf(program).filter(({ level }) => level === 'error');
  expect(lines.length).toBe(event['problems']);
  expect(lines[0]?.['msg']).toMatch(/pilotlight\.yaml:1:1/);
  expect(await status(at, '/hello')).toBe(200);
});

test('a new service, a removed one and a new listener take effect; the rest goes on', async () => {
  const at = await place();
  const program = await serve(at);
  const hello = await (await fetch(`${at.url}/hello`)).text();
  const second = await freePort();
  await at.write({
    listen: [{ address: `127.0.0.1:${at.port}` }, { address: `127.0.0.1:${second}` }],
    services: { hello: demoService('hello'), echo: demoService('echo') },
  });
  await hangup(program, 'reloaded');
  expect(await status(at, '/echo')).toBe(200);
  expect(await status(at, '/slow')).toBe(404);
  expect(await (await fetch(`http://127.0.0.1:${second}/hello`)).text()).toBe(hello);
});

test('a listener that cannot be opened changes nothing', async () => {
  const at = await place();
  const program = await serve(at);
  const taken = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void taken.close());
  await at.write({ listen: [{ address: `127.0.0.1:${port}` }], services: { echo: demoService('echo') } });
  const event = await hangup(program, 'reload-failed');
  expect(event['msg']).toContain(`127.0.0.1:${port}`);
  expect(await status(at, '/hello')).toBe(200);
  expect(await status(at, '/echo')).toBe(404);
});

test('what takes a restart is named, and the rest takes effect', async () => {
  const at = await place();
  const program = await serve(at);
  await at.write({ admin: { address: `127.0.0.1:${await freePort()}` }, services: { echo: demoService('echo') } });
  await hangup(program, 'reloaded');
  const warning = logOf(program).find((line) => 'needRestart' in line && line['level'] === 'warn');
  expect(warning?.['msg']).toBe('takes a restart to change: admin.address');
  expect(await status(at, '/echo')).toBe(200);
  expect((await fetch(`${at.admin}/readyz`)).status).toBe(200);
});

test('a part that this process was not built with is refused by name, and nothing changes', async () => {
  const at = await place();
  const program = await serve(at);
  const box = { routes: [{ path: '/box' }], run: { docker: { image: 'none:1', port: 80 } } };
  const found = { routes: [{ path: '/found' }], endpoints: { consul: { service: 'found' } } };
  await at.write({ services: { echo: demoService('echo'), box, found } });
  const event = await hangup(program, 'reload-failed');
  expect(event['msg']).toContain('consul was not configured when this process started: restart it (and 1 more)');
  expect(await status(at, '/hello')).toBe(200);
  expect(await status(at, '/echo')).toBe(404);
});

test('says what it changed, by name and key, with the file and its time; or that nothing changed', async () => {
  const at = await place();
  const program = await serve(at);
  const changed = demoService('hello', { timeouts: { drain: '4s' }, wake: [{ path: '/x', then: 'deny' }] });
  const secret = {
    routes: [{ path: '/echo' }],
    run: { process: { command: ['true'], env: { PORT: '{port}', PASSWORD: 'hunter2' } } },
  };
  await at.write({ services: { hello: changed, echo: secret }, budget: { replicas: 7 } });
  const { mtime } = await stat(at.file);
  const event = await hangup(program, 'reloaded');
  expect(event['msg']).toBe(
    `configuration reloaded (2 services): added echo; removed slow; changed hello (timeouts.drain, wake); ` +
      `also changed budget.replicas; ${at.file} of ${mtime.toISOString()}`,
  );
  expect(event).toMatchObject({ added: 'echo', removed: 'slow', nothingChanged: false, file: at.file });
  const again = await hangup(program, 'reloaded');
  expect(again['msg']).toBe(
    `configuration reloaded (2 services): nothing changed; ${at.file} of ${mtime.toISOString()}`,
  );
  expect(again).toMatchObject({ nothingChanged: true, modified: mtime.toISOString() });
  expect(program.stderr).not.toContain('hunter2');
});

test('is asked for by POST /v1/reload too, which answers what changed or every problem', async () => {
  const at = await place();
  const program = await serve(at);
  const post = async () => {
    const response = await fetch(`${at.admin}/v1/reload`, { method: 'POST' });
    return { status: response.status, body: (await response.json()) as Record<string, string[]> };
  };
  expect(await post()).toMatchObject({ status: 200, body: { reloaded: true, changed: false, file: at.file } });
  await at.write({ services: { hello: demoService('hello') } });
  const { mtime } = await stat(at.file);
  // Beside signals: whoever asks hears of a reload that began after it had asked.
  program.child.kill('SIGHUP');
  const answers = await Promise.all([post(), post(), post()]);
  program.child.kill('SIGHUP');
  for (const { status: code, body } of answers) {
    expect(code).toBe(200);
    expect(body).toMatchObject({ reloaded: true, modified: mtime.toISOString() });
  }
  expect(await status(at, '/slow')).toBe(404);
  await writeFile(at.file, 'listn: []\n');
  const refused = await post();
  expect(refused.status).toBe(422);
  expect(refused.body).toMatchObject({ code: 'CONFIG_INVALID', file: at.file });
  expect(refused.body['problems']?.[0]).toMatch(/pilotlight\.yaml:1:1 .*did you mean "listen"/);
  expect(await status(at, '/hello')).toBe(200);
});

test.each([1, 2])('quick reloads end with the last file, with %i worker(s)', async (workers) => {
  const names = ['a', 'b', 'c'] as const;
  const ports = new Map<string, number>();
  for (const name of names) {
    const server = createHttpServer((_, response) => response.end(name)).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    ports.set(name, (server.address() as AddressInfo).port);
  }
  const at = await place({ workers });
  let round = 0;
  const write = async (name: string) => {
    // The round is in the routes, so that it can be seen that the last file is in force.
    const app = {
      routes: [{ path: '/' }, { path: `/${name}-${round}` }],
      endpoints: { static: [`127.0.0.1:${ports.get(name)}`] },
    };
    const marker = { routes: [{ path: `/end-${round}/${name}` }], endpoints: { static: ['127.0.0.1:1'] } };
    await at.write({ services: { app, marker } });
  };
  await write('a');
  const program = await serve(at);
  for (const gapMs of [3, 5, 8, 12, 20, 30]) {
    round++;
    for (const name of ['a', 'b', 'c', 'b']) {
      await write(name);
      program.child.kill('SIGHUP');
      await new Promise((resolve) => setTimeout(resolve, gapMs));
    }
    await until('the last routes', async () => (await status(at, `/end-${round}/b`)) === 502);
    await until(`the last endpoint, ${gapMs} ms`, async () => (await (await fetch(at.url)).text()) === 'b');
  }
});
