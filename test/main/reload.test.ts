import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
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
  const warning = logOf(program).find(({ level }) => level === 'warn');
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
