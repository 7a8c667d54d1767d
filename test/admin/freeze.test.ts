import { expect, test } from 'vitest';
import { readFreeze, readUnfreeze } from '../../src/admin/read-freeze.ts';
import { exchange, head } from './exchange.ts';
import { serveAdmin } from './serve-admin.ts';

test('one service or all can be frozen and unfrozen', async () => {
  const { ask, control } = await serveAdmin();
  for (const path of ['/v1/services/shop/freeze', '/v1/freeze', '/v1/services/shop/unfreeze', '/v1/unfreeze']) {
    expect((await ask('POST', path)).status).toBe(200);
  }
  expect(control.asked).toEqual([
    'freeze 3600000 null shop',
    'freeze 3600000 null shop',
    'unfreeze shop',
    'unfreeze shop',
  ]);
});

test('a freeze says for how long and why', () => {
  expect(readFreeze('{"for":"30m","reason":"release"}')).toEqual({
    forMs: 1_800_000,
    reason: 'release',
    dryRun: false,
  });
  expect(readFreeze('')).toEqual({ forMs: 3_600_000, reason: null, dryRun: false });
});

test.each([
  ['/v1/freeze', 'freeze dry 3600000 null shop'],
  ['/v1/services/shop/unfreeze', 'unfreeze dry shop'],
])('a dry run of %s is passed on as one', async (path, asked) => {
  const { port, control } = await serveAdmin();
  const body = '{"dryRun":true}';
  const fields = { Host: `127.0.0.1:${port}`, 'Content-Length': String(body.length) };
  const answer = await exchange(port, head('POST', path, fields) + body);
  expect([answer.status, control.asked]).toEqual([200, [asked]]);
});

test.each(['{"dryRun":1}', '[', '3', 'null'])('%j ends no freeze', (body) => {
  expect(readUnfreeze(body)).toBeUndefined();
});

test.each([
  '{"for":"25h"}',
  '{"for":"0s"}',
  '{"for":3}',
  '{"dryRun":"yes"}',
  '{"reason":"a\\nb"}',
  `{"reason":"${'x'.repeat(201)}"}`,
  '[',
  '3',
])('%j is refused', (body) => expect(readFreeze(body)).toBeUndefined());
