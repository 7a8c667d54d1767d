import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCli } from '../../src/cli/cli.ts';
import { showStatus } from '../../src/cli/status.ts';
import { freePort } from '../support/free-port.ts';
import { serviceStatus } from '../support/service-status.ts';
import { until } from '../support/until.ts';
import { fakeAdmin } from './fake-admin.ts';
import { type FakeTerminal, fakeTerminal } from './fake-terminal.ts';
import { noProgram } from './no-program.ts';

const cli = (line: string, terminal: FakeTerminal) => runCli(line.split(' '), noProgram, terminal);

async function configuration(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pilotlight-cli-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'pilotlight.yaml'), text);
  return folder;
}

function minimal(admin: string): string {
  return [
    'listen: [{ address: 127.0.0.1:8080 }]',
    `admin: ${admin}`,
    'services: { shop: { routes: [{ path: / }], endpoints: { static: [127.0.0.1:1] } } }',
  ].join('\n');
}

describe('status', () => {
  test('shows a table', async () => {
    const { url, asked } = await fakeAdmin(200, [serviceStatus({ name: 'shop' })]);
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url}`, terminal)).toBe(0);
    expect(terminal.stdout.join('\n')).toMatch(/^service +state.*\nshop +asleep/);
    expect(asked).toEqual(['GET /v1/services -']);
  });

  test('--json prints what the API says', async () => {
    const services = [serviceStatus({ name: 'shop' })];
    const { url } = await fakeAdmin(200, services);
    const terminal = fakeTerminal();
    expect(await cli(`status --json --admin ${url}`, terminal)).toBe(0);
    expect(JSON.parse(terminal.stdout.join('\n'))).toEqual(services);
  });

  test('--names prints the names alone', async () => {
    const { url } = await fakeAdmin(200, [serviceStatus({ name: 'blog' }), serviceStatus({ name: 'shop' })]);
    const terminal = fakeTerminal();
    expect(await cli(`status --names --admin ${url}`, terminal)).toBe(0);
    expect(terminal.stdout).toEqual(['blog\nshop']);
  });

  test('states are coloured for a person, and not with NO_COLOR', async () => {
    const { url } = await fakeAdmin(200, [serviceStatus({ name: 'shop' })]);
    const coloured = fakeTerminal({ interactive: true });
    await cli(`status --admin ${url}`, coloured);
    expect(coloured.stdout.join()).toContain('\x1b[34masleep\x1b[0m');
    const plain = fakeTerminal({ interactive: true, env: { NO_COLOR: '1' } });
    await cli(`status --admin ${url}`, plain);
    expect(plain.stdout.join()).not.toContain('\x1b');
  });

  test('--watch for another program has no control characters', async () => {
    const { url } = await fakeAdmin(200, []);
    const terminal = fakeTerminal();
    const stop = new AbortController();
    const watching = showStatus({ admin: url, watch: true, json: true }, terminal, stop.signal);
    await until('drawn', () => terminal.stdout.length === 1);
    stop.abort();
    await watching;
    expect(terminal.stdout).toEqual(['[]']);
  });

  test('--watch at a terminal begins with the first answer', async () => {
    const { url, asked } = await fakeAdmin(200, [serviceStatus({ name: 'shop' })]);
    const drawn: string[] = [];
    const draw = (lines: readonly string[]) => void drawn.push(lines.join('\n'));
    const nothing = () => undefined;
    const screen = { columns: () => 80, rows: () => 10, draw, onKey: nothing, onResize: nothing, close: nothing };
    const terminal = fakeTerminal({ interactive: true, openScreen: () => screen });
    const stop = new AbortController();
    const watching = showStatus({ admin: url, watch: true }, terminal, stop.signal);
    await until('drawn', () => drawn.length > 0);
    stop.abort();
    await watching;
    expect(drawn[0]).toContain('shop');
    expect(asked.filter((line) => line.startsWith('GET /v1/services '))).toHaveLength(1);
  });
});

describe('wake and sleep', () => {
  test.each([
    ['wake', 'wake --no-wait'],
    ['sleep', 'sleep'],
  ])('%s acts and says how it stands', async (act, command) => {
    const { url, asked } = await fakeAdmin(200, serviceStatus({ name: 'shop', state: 'waking' }));
    const terminal = fakeTerminal();
    expect(await cli(`${command} --admin ${url} --token t0k shop`, terminal)).toBe(0);
    expect(asked).toEqual([`POST /v1/services/shop/${act} Bearer t0k`]);
    expect(terminal.stdout).toEqual(['shop is waking']);
  });

  test('a name is one segment of the path, whatever is in it', async () => {
    const { url, asked } = await fakeAdmin(404, { code: 'SERVICE_UNKNOWN', detail: 'no service "../x"' });
    expect(await cli(`wake ../x --no-wait --admin ${url}`, fakeTerminal())).toBe(1);
    expect(asked).toEqual(['POST /v1/services/..%2Fx/wake -']);
  });

  test.each([
    [404, 'SERVICE_UNKNOWN', 'no service "shop"'],
    [409, 'SERVICE_NOT_RUNNABLE', 'shop has no "run"'],
  ])('%d %s is one line and exit 1', async (status, code, detail) => {
    const { url } = await fakeAdmin(status, { status, code, detail, title: 'x' });
    const terminal = fakeTerminal();
    expect(await cli(`sleep shop --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr).toEqual([`pilotlight: ${detail}`]);
  });
});

describe('--json', () => {
  test.each([
    'wake --no-wait shop',
    'sleep shop',
    'scale shop 2',
    'freeze',
    'unfreeze',
    'log-level',
    'logs shop',
    'endpoints shop',
  ])('%s prints what the API says', async (line) => {
    const body = [{ name: 'shop', state: 'ready' }];
    const { url } = await fakeAdmin(200, body);
    const terminal = fakeTerminal();
    expect(await cli(`${line} --json --admin ${url}`, terminal)).toBe(0);
    expect(JSON.parse(terminal.stdout.join('\n'))).toEqual(body);
  });
});

describe('what goes wrong is one line and exit 1', () => {
  test('nobody listens', async () => {
    const terminal = fakeTerminal();
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await cli(`status --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr).toEqual([
      `pilotlight: no Pilotlight answers at ${url} (connection refused): start it, or name it with --admin URL`,
    ]);
  });

  test('a port that fetch and browsers refuse is asked like any other', async () => {
    const terminal = fakeTerminal();
    expect(await cli('status --admin 127.0.0.1:1', terminal)).toBe(1);
    expect(terminal.stderr[0]).toContain('(connection refused)');
  });

  test('another program listens', async () => {
    const { url } = await fakeAdmin(404, 'not found');
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr).toEqual([`pilotlight: what answers at ${url} is not Pilotlight's admin API (404)`]);
  });

  test('what listens does not speak HTTP', async () => {
    // Who is answered so may break the connection off.
    const server = createServer((socket) => socket.on('error', () => undefined).end('go away\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const terminal = fakeTerminal();
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    expect(await cli(`status --admin 127.0.0.1:${port}`, terminal)).toBe(1);
    expect(terminal.stderr).toHaveLength(1);
    expect(terminal.stderr[0]).toMatch(
      /no Pilotlight answers .*\((?:what is there speaks no HTTP|it closed the connection)\)/,
    );
  });

  test('the token is missing', async () => {
    const { url } = await fakeAdmin(401, { code: 'UNAUTHORIZED', title: 'Unauthorized' });
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr[0]).toContain('wants its token: give it with --token or PILOTLIGHT_ADMIN_TOKEN');
  });

  test('the token is another one', async () => {
    const { url } = await fakeAdmin(401, { code: 'UNAUTHORIZED', title: 'Unauthorized' });
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url} --token wrong`, terminal)).toBe(1);
    expect(terminal.stderr[0]).toContain('refuses the token, which is from --token');
    expect(terminal.stderr[0]).not.toContain('wrong');
  });

  test('the token of the environment or of the configuration is told by where it is from', async () => {
    const { url } = await fakeAdmin(401, { code: 'UNAUTHORIZED', title: 'Unauthorized' });
    const set = fakeTerminal({ env: { PILOTLIGHT_ADMIN_TOKEN: 'wrong' } });
    await cli(`status --admin ${url}`, set);
    expect(set.stderr[0]).toContain('which is from PILOTLIGHT_ADMIN_TOKEN');
    const cwd = await configuration(minimal(`{ address: "${url.slice('http://'.length)}", token: wrong }`));
    const configured = fakeTerminal({ cwd });
    await cli('status', configured);
    expect(configured.stderr[0]).toContain(`which is from ${join(cwd, 'pilotlight.yaml')}`);
  });

  test('a listener for requests answers, which is not the admin API', async () => {
    const { url } = await fakeAdmin(404, { code: 'NO_ROUTE', title: 'Not Found', detail: 'No service is configured.' });
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr[0]).toContain(
      'takes requests for services (it answered NO_ROUTE): its admin API is at another',
    );
  });

  test('what was sent is too large for the admin API, which is the right one', async () => {
    const { url } = await fakeAdmin(413, { code: 'BODY_TOO_LARGE', title: 'Content too large' });
    const terminal = fakeTerminal();
    expect(await cli(`freeze shop --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr).toEqual([`pilotlight: ${url} answers 413: Content too large`]);
  });

  test('https where none is spoken', async () => {
    const { url } = await fakeAdmin(200, []);
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url.replace('http:', 'https:')}`, terminal)).toBe(1);
    expect(terminal.stderr[0]).toContain('(it speaks no TLS there: write http://)');
  });

  test('what runs answers in a form of another version', async () => {
    const { url } = await fakeAdmin(200, [{ name: 'shop' }]);
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr).toHaveLength(1);
    expect(terminal.stderr[0]).toContain('they are of different versions');
  });

  test('what runs knows of no declared services, which hides none of the others', async () => {
    const { url } = await fakeAdmin(200, [serviceStatus({ name: 'shop' })], { declarations: 404 });
    const terminal = fakeTerminal();
    expect(await cli(`status --admin ${url}`, terminal)).toBe(0);
    expect(terminal.stdout.join()).toContain('shop');
  });

  test('what runs is older than the program', async () => {
    const { url } = await fakeAdmin(404, { code: 'NOT_FOUND', title: 'Not found' });
    const terminal = fakeTerminal();
    expect(await cli(`routes --admin ${url}`, terminal)).toBe(1);
    expect(terminal.stderr[0]).toContain('is older than this program');
  });

  test('PILOTLIGHT_DEBUG adds code and causes, still without a stack trace', async () => {
    const terminal = fakeTerminal({ env: { PILOTLIGHT_DEBUG: '1' } });
    await cli(`status --admin 127.0.0.1:${await freePort()}`, terminal);
    expect(terminal.stderr[1]).toBe('  ADMIN_UNREACHABLE');
    expect(terminal.stderr.join('\n')).toContain('caused by ECONNREFUSED');
    expect(terminal.stderr.join('\n')).not.toMatch(/\n +at /);
  });
});

describe('the running proxy is found', () => {
  test('by --admin before all else, and wrong addresses are wrong usage', async () => {
    const terminal = fakeTerminal();
    for (const address of ['ftp://x', 'http://', 'http://x/path', ':::']) {
      expect(await cli(`status --admin ${address}`, terminal)).toBe(2);
    }
    expect(terminal.stderr).toHaveLength(4);
    const { url } = await fakeAdmin(200, []);
    const env = { PILOTLIGHT_ADMIN: 'http://127.0.0.1:1' };
    expect(await cli(`status --admin ${url}`, fakeTerminal({ env }))).toBe(0);
  });

  test('by PILOTLIGHT_ADMIN, with PILOTLIGHT_ADMIN_TOKEN', async () => {
    const { url, asked } = await fakeAdmin(200, []);
    const env = { PILOTLIGHT_ADMIN: url, PILOTLIGHT_ADMIN_TOKEN: 'from-env' };
    expect(await cli('status', fakeTerminal({ env }))).toBe(0);
    expect(asked).toEqual(['GET /v1/services Bearer from-env']);
  });

  test('by the configuration, with its token; all addresses mean this machine', async () => {
    const { url, asked } = await fakeAdmin(200, []);
    const cwd = await configuration(minimal(`{ address: "0.0.0.0:${new URL(url).port}", token: from-the-file-1 }`));
    expect(await cli('status', fakeTerminal({ cwd }))).toBe(0);
    expect(asked).toEqual(['GET /v1/services Bearer from-the-file-1']);
  });

  test('a configuration named by -c comes before the environment', async () => {
    const { url, asked } = await fakeAdmin(200, []);
    const cwd = await configuration(minimal(`{ address: "${new URL(url).host}" }`));
    const env = { PILOTLIGHT_ADMIN: 'http://127.0.0.1:1' };
    expect(await cli('status -c pilotlight.yaml', fakeTerminal({ cwd, env }))).toBe(0);
    expect(asked).toHaveLength(1);
  });

  test('a wrong configuration is one line that names the place', async () => {
    const cwd = await configuration('listn: []\n');
    const terminal = fakeTerminal({ cwd });
    expect(await cli('status', terminal)).toBe(1);
    expect(terminal.stderr).toHaveLength(1);
    expect(terminal.stderr[0]).toMatch(/pilotlight\.yaml:1:1 .*--admin URL/);
  });
});
