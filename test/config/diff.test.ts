import { describe, expect, test } from 'vitest';
import { diffSettings, type SettingsDiff } from '../../src/config/diff.ts';
import { settingsOf } from './parse.ts';

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

function isEmptyDiff({ services, listeners, sections, needRestart }: SettingsDiff): boolean {
  const lists = [...Object.values(services), ...Object.values(listeners), sections, needRestart];
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
    expect(services).toEqual({ added: [], removed: [], changed: [{ name: 'a', run: true }] });
  });

  test('changed in how they are treated only', () => {
    const { services } = diff((text) => text.replace('path: /a', 'path: /aa'));
    expect(services.changed).toEqual([{ name: 'a', run: false }]);
  });

  test('all of them, by their defaults', () => {
    const { services } = diff((text) => `${text}defaults: { balance: random }\n`);
    expect(services.changed).toEqual([
      { name: 'a', run: false },
      { name: 'b', run: false },
    ]);
  });
});

test('listeners are told apart by their address', () => {
  const { listeners } = diff((text) =>
    text.replace('[{ address: "127.0.0.1:1" }, {', '[{ address: "127.0.0.1:3" }, { timeouts: { head: 1s },'),
  );
  expect(listeners.added.map(({ address }) => address.port)).toEqual([3]);
  expect(listeners.removed.map(({ address }) => address.port)).toEqual([1]);
  expect(listeners.changed.map(({ address }) => address.port)).toEqual([2]);
});

test('sections that take effect at once', () => {
  const text = (base: string) => `${base}budget: { replicas: 9 }\ntrustedProxies: [10.0.0.1]\n`;
  expect(diff(text)).toMatchObject({ sections: ['trustedProxies', 'budget'], needRestart: [] });
});

test.each([
  ['admin.address', (text: string) => text.replace('token: one', 'token: one, address: "127.0.0.1:9"')],
  ['admin.token', (text: string) => text.replace('token: one', 'token: two')],
  ['state', (text: string) => text.replace('/s\n', '/t\n')],
  ['consul', (text: string) => text.replace('token: a', 'token: b')],
  ['workers', (text: string) => `${text}workers: 2\n`],
  ['docker', (text: string) => `${text}docker: { reach: host }\n`],
] as const)('%s needs a restart', (key, change) => {
  const changes = diff(change);
  expect(changes.needRestart).toEqual([key]);
  expect(isEmptyDiff(changes)).toBe(false);
});
