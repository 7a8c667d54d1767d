import { expect, test } from 'vitest';
import { serveAdmin } from './serve-admin.ts';

test('costs are those of the last week, or since a duration or a time', async () => {
  const { ask, clock } = await serveAdmin();
  const since = async (query: string) => JSON.parse((await ask('GET', `/v1/costs${query}`)).body).since;
  const ago = (ms: number) => new Date(clock.wall() - ms).toISOString();
  expect(await since('')).toBe(ago(7 * 86_400_000));
  expect(await since('?since=2h')).toBe(ago(7_200_000));
  expect(await since(`?since=${encodeURIComponent(ago(60_000))}`)).toBe(ago(60_000));
});

test('the answer is what the control plane tells, as JSON', async () => {
  const { ask } = await serveAdmin();
  const answer = await ask('GET', '/v1/costs?since=1d');
  expect(answer.status).toBe(200);
  expect(answer.headers['content-type']).toBe('application/json');
  expect(JSON.parse(answer.body)).toMatchObject({ currency: 'EUR', services: [] });
});

test('a since that is no time is told so, and nothing can be posted', async () => {
  const { ask } = await serveAdmin();
  const answer = await ask('GET', '/v1/costs?since=yesterday');
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'SINCE_INVALID' });
  expect((await ask('POST', '/v1/costs')).status).toBe(405);
});
