import { expect, test } from 'vitest';
import { exchange, head } from './exchange.ts';
import { serveAdmin } from './serve-admin.ts';

async function post(body: string) {
  const { port, control } = await serveAdmin();
  const fields = { Host: `127.0.0.1:${port}`, 'Content-Length': String(Buffer.byteLength(body)) };
  const answer = await exchange(port, head('POST', '/v1/services/shop/scale', fields) + body);
  return { ...answer, asked: control.asked };
}

test.each([
  ['{"replicas":3}', 'scale 3 shop'],
  ['{"replicas":0,"dryRun":true}', 'scale dry 0 shop'],
])('POST scale takes %s', async (body, asked) => {
  const answer = await post(body);
  expect(answer).toMatchObject({ status: 200, asked: [asked] });
  expect(JSON.parse(answer.body)).toMatchObject({ service: 'shop', max: 4 });
});

test.each([
  '',
  '3',
  'null',
  '{}',
  '{"replicas":-1}',
  '{"replicas":1.5}',
  '{"replicas":"3"}',
  '{"replicas":3,"dryRun":1}',
])('the body %j is refused, and nothing done', async (body) => {
  const answer = await post(body);
  expect(answer).toMatchObject({ status: 400, asked: [] });
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'BODY_INVALID' });
});
