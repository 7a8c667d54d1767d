import { describe, expect, test } from 'vitest';
import { changeFields, describeReload } from '../../../src/config/changes/describe.ts';
import { diffSettings, hasChanges } from '../../../src/config/changes/diff.ts';
import type { SettingsChanges } from '../../../src/model/reload.ts';
import { settingsOf } from '../parse.ts';

const BASE = `listen: [{ address: "127.0.0.1:1" }, { address: "127.0.0.1:2" }]
admin: { token: one }
state: /s
consul: { token: a }
services:
  a: { routes: [{ path: /a }], run: { docker: { image: "a:1", port: 1 } } }
  b: { routes: [{ path: /b }], endpoints: { static: ["x:1"] } }
`;
const before = settingsOf(BASE);
const diff = (change: (text: string) => string) => diffSettings(before, settingsOf(change(BASE)));

function isEmptyDiff({ services, listeners, keys, needRestart }: SettingsChanges): boolean {
  const lists = [...Object.values(services), ...Object.values(listeners), keys, needRestart];
  return lists.every((list) => list.length === 0);
}

test('the same text changes nothing', () => {
  const same = diff((text) => text);
  expect(isEmptyDiff(same)).toBe(true);
});

test('the order of keys and a default that is spelled out change nothing', () => {
  expect(
    isEmptyDiff(diff((text) => text.replace('{ image: "a:1", port: 1 }', '{ port: 1, image: a:1, readOnly: false }'))),
  ).toBe(true);
});

describe('services', () => {
  test('added and removed', () => {
    const { services } = diff((text) => text.replace('  b:', '  c:'));
    expect(services).toEqual({ added: ['c'], removed: ['b'], changed: [] });
  });

  test('changed in what they run', () => {
    const { services } = diff((text) => text.replace('a:1', 'a:2'));
    expect(services).toEqual({ added: [], removed: [], changed: [{ name: 'a', keys: ['run.docker.image'] }] });
  });

  test('changed in how they are treated only', () => {
    const { services } = diff((text) => text.replace('path: /a', 'path: /aa'));
    expect(services.changed).toEqual([{ name: 'a', keys: ['routes'] }]);
  });

  test.each([
    ['["y:1"]', ['endpoints.static']],
    ['["x:1"], resolve: 9s', ['endpoints.resolve']],
    ['["x:1"], consul: { service: b }', ['endpoints.consul']],
    ['[], resolve: 9s, consul: { service: b }', ['endpoints.consul', 'endpoints.static']],
  ])('changed in where their endpoints are found: %s', (endpoints, keys) => {
    const { services } = diff((text) => text.replace('["x:1"]', endpoints));
    expect(services.changed).toEqual([{ name: 'b', keys }]);
  });

  test('all of them, by their defaults', () => {
    const { services } = diff((text) => `${text}defaults: { balance: random }\n`);
    expect(services.changed).toEqual([
      { name: 'a', keys: ['balance'] },
      { name: 'b', keys: ['balance'] },
    ]);
  });
});

test('listeners are told apart by their address', () => {
  const { listeners } = diff((text) =>
    text.replace('[{ address: "127.0.0.1:1" }, {', '[{ address: "127.0.0.1:3" }, { timeouts: { head: 1s },'),
  );
  expect(listeners).toEqual({
    added: ['127.0.0.1:3'],
    removed: ['127.0.0.1:1'],
    changed: [{ address: '127.0.0.1:2', keys: ['timeouts.head'] }],
  });
});

test('sections that take effect at once', () => {
  const text = (base: string) => `${base}budget: { replicas: 9 }\ntrustedProxies: [10.0.0.1]\n`;
  expect(diff(text)).toMatchObject({ keys: ['budget.replicas', 'trustedProxies'], needRestart: [] });
});

test("a token of Consul's takes effect at once", () => {
  const changes = diff((text) => text.replace('token: a', 'token: b'));
  expect(changes).toMatchObject({ keys: ['consul.token'], needRestart: [] });
});

test.each([
  ['admin.address', (text: string) => text.replace('token: one', 'token: one, address: "127.0.0.1:9"')],
  ['admin.token', (text: string) => text.replace('token: one', 'token: two')],
  ['state', (text: string) => text.replace('/s\n', '/t\n')],
  ['consul', (text: string) => text.replace('token: a', 'token: a, address: "http://127.0.0.1:9"')],
  ['workers', (text: string) => `${text}workers: 2\n`],
  ['docker', (text: string) => `${text}docker: { reach: host }\n`],
] as const)('%s needs a restart', (key, change) => {
  const changes = diff(change);
  expect(changes.needRestart).toEqual([key]);
  expect(isEmptyDiff(changes)).toBe(false);
});

describe('in words', () => {
  const source = { file: '/a.yaml', modified: '2026-05-01T10:00:00.000Z' };
  const said = (changes: SettingsChanges) => describeReload(changes, source, 2);

  test('what changed, by name and key, with the file and its time', () => {
    const changes = diff((text) =>
      `${text}  c: { routes: [{ path: /c }], endpoints: { static: ["x:1"] } }\nbudget: { replicas: 9 }\nworkers: 2\n`
        .replace('  b:', '  d:')
        .replace('port: 1 }', 'port: 1, env: { PASSWORD: hunter2 } }')
        .replace(
          '[{ path: /a }]',
          '[{ path: /aa }], timeouts: { drain: 3s }, scale: { idle: 1m, max: 2 }, hold: { page: off }',
        ),
    );
    expect(said(changes)).toBe(
      'configuration reloaded (2 services): added d, c; removed b; changed a (hold.page, routes, run.docker.env, ' +
        'scale.idle, scale.max, timeouts.drain); also changed budget.replicas; takes a restart: workers; ' +
        '/a.yaml of 2026-05-01T10:00:00.000Z',
    );
    expect(JSON.stringify([changes, changeFields(changes)])).not.toContain('hunter2');
  });

  test('that nothing changed', () => {
    const changes = diff((text) => `# another comment\n${text}`);
    expect(hasChanges(changes)).toBe(false);
    expect(said(changes)).toBe(
      'configuration reloaded (2 services): nothing changed; /a.yaml of 2026-05-01T10:00:00.000Z',
    );
    expect(changeFields(changes)).toEqual({});
  });

  test('of thousands of services the first, and how many more', () => {
    const many = Array.from(
      { length: 5000 },
      (_, i) => `  s${i}: { routes: [{ path: /s${i} }], endpoints: { static: ["x:1"] } }\n`,
    );
    expect(said(diff((text) => text + many.join('')))).toMatch(/: added s0, s1, .*, s19 and 4980 more; \/a/);
  });
});

test('which labels are asked for takes a restart, what they may say does not', () => {
  const declaring = (docker: string) => settingsOf(`declare: { docker: ${docker} }\n${BASE}`);
  const asked = diffSettings(declaring('true'), declaring('{ prefix: other }'));
  expect(asked).toMatchObject({ keys: [], needRestart: ['declare.docker.prefix'] });
  const allowed = diffSettings(declaring('true'), declaring('{ allow: { hosts: [a.example] } }'));
  expect(allowed).toMatchObject({ keys: ['declare'], needRestart: [] });
});
