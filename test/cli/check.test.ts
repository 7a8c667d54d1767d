import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inspectCertificates } from '../../src/certificates/inspect.ts';
import { runCheck } from '../../src/cli/check.ts';

const RIGHT = `listen: [{ address: "127.0.0.1:8080" }]
services:
  app: { routes: [{ path: / }, { host: a.example }], run: { process: { command: [a, "{port}"] } } }
  old: { routes: [{ path: /old }], endpoints: { static: ["x:1", "y:1"], consul: { service: old } }, hold: { max: 1 } }
`;
const WRONG = `listen: [{ address: "127.0.0.1:8080" }]
servces: {}
services:
  app: { routes: [{ path: old }] }
`;

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'pilotlight-check-'));
});
afterEach(() => rm(cwd, { recursive: true }));

async function check(options: { file?: string; json?: boolean; env?: Record<string, string> } = {}) {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCheck({
    file: options.file,
    json: options.json ?? false,
    env: { HOME: cwd, ...options.env },
    cwd,
    out: (line) => out.push(line),
    err: (line) => err.push(line),
    inspectCertificates,
  });
  return { code, out, err };
}

test('a right file is summed up', async () => {
  await writeFile(join(cwd, 'pilotlight.yaml'), RIGHT);
  expect(await check()).toEqual({
    code: 0,
    out: [
      'warning: pilotlight.yaml:4:101  services.old.hold: means nothing for a service without run',
      'pilotlight.yaml is valid: 2 services, 3 routes, 1 listener, 1 warning',
      'listens on 127.0.0.1:8080; admin on 127.0.0.1:9400',
      'app: */, a.example/ → process 0–4',
      'old: */old → consul old, 2 static',
    ],
    err: [],
  });
});

test('a service that only redirects is summed up too', async () => {
  const redirect = RIGHT.replace('{ path: /old }', '{ path: /old, redirect: { to: /new } }').replace(
    /endpoints: .*(?= })/,
    'via: a',
  );
  await writeFile(join(cwd, 'pilotlight.yaml'), redirect);
  expect((await check()).out.at(-1)).toBe('old: */old → redirects');
});

test('every problem of a wrong file is a line with its place, under the name that was given', async () => {
  await writeFile(join(cwd, 'bad.yaml'), WRONG);
  expect(await check({ file: './bad.yaml' })).toEqual({
    code: 1,
    out: [],
    err: [
      './bad.yaml:2:1  servces: unknown key (did you mean "services"?)',
      './bad.yaml:4:27  services.app.routes[0].path: a path starts with "/"',
    ],
  });
});

test('a file that is not there is one line', async () => {
  expect(await check({ file: 'nope.yaml' })).toEqual({ code: 1, out: [], err: ['nope.yaml: no such file'] });
  const elsewhere = await check({ env: { PILOTLIGHT_CONFIG: '/nowhere/at/all.yaml' } });
  expect(elsewhere.err).toEqual(['/nowhere/at/all.yaml: no such file']);
});

test('without any configuration it says where it looked', async () => {
  const places = [
    join(cwd, 'pilotlight.yaml'),
    join(cwd, '.config/pilotlight/config.yaml'),
    '/etc/pilotlight/config.yaml',
  ];
  expect(await check()).toEqual({
    code: 1,
    out: [],
    err: [expect.stringContaining(`no configuration at ${places.join(', ')}: name one with -c FILE, `)],
  });
});

test('as JSON: problems, a summary, or where it looked', async () => {
  await writeFile(join(cwd, 'bad.yaml'), WRONG);
  const bad = await check({ file: 'bad.yaml', json: true });
  expect(bad).toMatchObject({ code: 1, err: [] });
  expect(JSON.parse(bad.out.join('\n'))).toEqual({
    ok: false,
    file: 'bad.yaml',
    problems: [
      { file: 'bad.yaml', line: 2, column: 1, path: 'servces', message: 'unknown key (did you mean "services"?)' },
      { file: 'bad.yaml', line: 4, column: 27, path: 'services.app.routes[0].path', message: 'a path starts with "/"' },
    ],
  });

  const none = await check({ json: true });
  expect(none).toMatchObject({ code: 1, err: [] });
  expect(JSON.parse(none.out.join('\n'))).toMatchObject({ ok: false, file: null, problems: [] });

  await writeFile(join(cwd, 'pilotlight.yaml'), RIGHT);
  const good = await check({ json: true });
  expect(good).toMatchObject({ code: 0, err: [] });
  expect(JSON.parse(good.out.join('\n'))).toMatchObject({
    ok: true,
    file: 'pilotlight.yaml',
    listen: ['127.0.0.1:8080'],
    admin: '127.0.0.1:9400',
    services: [
      { name: 'app', routes: ['*/', 'a.example/'], replicas: 'process 0–4' },
      { name: 'old', routes: ['*/old'], replicas: 'consul old, 2 static' },
    ],
    warnings: [{ line: 4, column: 101, path: 'services.old.hold' }],
  });
});
