import { expect, test } from 'vitest';
import { readFreeze } from '../../src/admin/read-freeze.ts';
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
  expect(readFreeze('{"for":"30m","reason":"release"}')).toEqual({ forMs: 1_800_000, reason: 'release' });
  expect(readFreeze('')).toEqual({ forMs: 3_600_000, reason: null });
});

test.each([
  '{"for":"25h"}',
  '{"for":"0s"}',
  '{"for":3}',
  '{"reason":"a\\nb"}',
  `{"reason":"${'x'.repeat(201)}"}`,
  '[',
  '3',
])('%j is refused', (body) => expect(readFreeze(body)).toBeUndefined());
