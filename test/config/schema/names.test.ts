import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { referenceGroups } from '../../../src/config/generate/reference.ts';
import { settingsOf } from '../parse.ts';

const REFERENCE = join(import.meta.dirname, '../../../config/reference.yaml');

/** What does not go with the services of the reference. */
const MEMBER = `
listen: [{ address: 127.0.0.1:1 }]
consul: {}
cluster: { name: edge, advertise: 127.0.0.1:2, secret: a-secret-of-many-characters }
services: { app: { routes: [{}], endpoints: { static: [127.0.0.1:3] } } }
`;

/** Names of settings at any depth. */
function namesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = Array.isArray(value) ? [] : Object.keys(value);
  return [...own, ...Object.values(value).flatMap(namesIn)];
}

test('the settings of durations, and no others, are named by their unit', async () => {
  const env = { HOME: '/home/op', PILOTLIGHT_ADMIN_TOKEN: 'token' };
  const reference = settingsOf(await readFile(REFERENCE, 'utf8'), env);
  const names = new Set([...namesIn(reference), ...namesIn(settingsOf(MEMBER, env))]);
  const durations = referenceGroups()
    .flatMap(({ rows }) => rows)
    .filter(({ type }) => type.startsWith('duration'))
    .map(({ key }) => `${key.slice(key.lastIndexOf('.') + 1)}Ms`);
  const named = [...names].filter((name) => name.endsWith('Ms'));
  expect(named.sort()).toEqual([...new Set(durations)].sort());
});
