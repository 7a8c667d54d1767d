import { expect, test } from 'vitest';
import { until } from '../wire.ts';
import { rules, serve } from './rules.ts';

test.each([
  ['that may mean another route', '//guarded/x'],
  ['that leaves a prefix that is cut off', '/pub//evil.test'],
])('a path %s is the last of its connection, as is any request that is not understood', async (_, path) => {
  const { harness, seen } = await serve({
    '/': undefined,
    '/guarded': rules({ allow: ['10.0.0.0/8'] }),
    '/pub': rules({ strip: true }),
  });
  const client = await harness.connect();
  client.write(`GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\nGET / HTTP/1.1\r\nHost: app.test\r\n\r\n`);
  const answer = await client.answer();
  expect(answer.status).toBe(400);
  expect(answer.head).toContain('Connection: close');
  await until(() => client.over, 'the connection is closed');
  expect(client.available).toBe(0);
  expect(seen).toEqual([]);
});
