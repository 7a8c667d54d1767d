import { expect, test } from 'vitest';
import type { Decision, Refusal } from '../../src/model/decision.ts';
import { serveAdmin } from './serve-admin.ts';

const base = { service: 'shop', kind: 'latency', reason: 'why', inputs: {}, verdicts: [], dryRun: false };

/** Entries about shop, by how many seconds ago they were; the refusal stood until 30 s ago. */
async function served() {
  const admin = await serveAdmin();
  const ago = (seconds: number) => new Date(admin.clock.wall() - seconds * 1000).toISOString();
  const change = (id: string, seconds: number): Decision => {
    return { ...base, id, at: ago(seconds), action: 'scale-up', from: 1, to: 2, outcome: null };
  };
  const ended = { at: ago(30), lastedMs: 270_000, ticks: 270 };
  const refusal: Refusal = { ...base, id: 'refusal', at: ago(300), action: 'none', from: 2, to: 2, ended };
  admin.control.decisions = [change('old', 600), refusal, change('new', 20)];
  const ids = async (query: string) => {
    const { body } = await admin.ask('GET', `/v1/services/shop/why${query}`);
    return JSON.parse(body).decisions.map(({ id }: Decision) => id);
  };
  return { ...admin, ids, ago };
}

test('why tells all that is remembered of a service, in the order of time', async () => {
  const { ask, control } = await served();
  const answer = await ask('GET', '/v1/services/shop/why');
  expect(answer.headers['content-type']).toBe('application/json');
  expect(JSON.parse(answer.body)).toEqual({
    service: 'shop',
    decisions: control.decisions,
    heldBack: null,
    threshold: null,
    idle: null,
    schedule: null,
  });
});

test('since leaves out what was over by then, by a duration or a time', async () => {
  const { ids, ago } = await served();
  expect(await ids('?since=1h')).toEqual(['old', 'refusal', 'new']);
  expect(await ids('?since=1m')).toEqual(['refusal', 'new']);
  expect(await ids('?since=25s')).toEqual(['new']);
  expect(await ids(`?since=${encodeURIComponent(ago(60))}`)).toEqual(['refusal', 'new']);
  expect(await ids('?since=5s')).toEqual([]);
});

test('a since that is no time is told so', async () => {
  const { ask } = await served();
  const answer = await ask('GET', '/v1/services/shop/why?since=yesterday');
  expect(answer.status).toBe(400);
  expect(JSON.parse(answer.body)).toMatchObject({ code: 'SINCE_INVALID' });
});

test('wrong names, methods and tokens are refused as elsewhere', async () => {
  const { ask } = await served();
  expect((await ask('GET', '/v1/services/nope/why')).status).toBe(404);
  expect((await ask('POST', '/v1/services/shop/why')).status).toBe(405);
  const { ask: guarded } = await serveAdmin({ token: 'secret-token-of-length' });
  expect((await guarded('GET', '/v1/services/shop/why')).status).toBe(401);
});
