import { expect, test } from 'vitest';
import { EdgeHarness, policy } from '../edge-harness.ts';
import { Origin } from '../wire.ts';
import { waiting } from './waiting.ts';

test('wake rules decide before the queue and the circuit do', async () => {
  const wake = [
    { path: '/healthz', userAgent: undefined, then: 'answer' as const, status: 200 },
    { path: undefined, userAgent: '*bot*', then: 'deny' as const, status: 200 },
  ];
  const h = await EdgeHarness.start(policy({ wake, hold: { max: 1 } }));
  h.state({ expectedStartMs: 2500 });
  await waiting(h, 1);
  const client = await h.connect();
  client.get('/healthz');
  const answer = await client.answer();
  expect(answer).toMatchObject({ status: 200, text: 'asleep\n' });
  expect(answer.fields['x-service-state']).toEqual(['asleep']);
  client.get('/', 'User-Agent: A Bot\r\n');
  const denied = await client.answer();
  expect(denied).toMatchObject({ status: 503 });
  expect(denied.text).toContain('WAKE_DENIED');
  expect(denied.fields['retry-after']).toEqual(['3']);
  h.state({ starting: true, blocked: { retryAfterMs: 5000 } });
  client.get('/healthz/live');
  expect((await client.answer()).text).toBe('waking\n');
  expect(h.all('demand')).toHaveLength(1);
});

test.each([204, 304, 205, 200])(
  'a wake rule that answers %i leaves nothing on the connection for the next answer',
  async (status) => {
    const wake = [{ path: '/healthz', userAgent: undefined, then: 'answer' as const, status }];
    const h = await EdgeHarness.start(policy({ wake }));
    h.state();
    const client = await h.connect();
    client.get('/healthz');
    client.get('/healthz');
    for (let i = 0; i < 2; i++) {
      const answer = await client.answer();
      expect(answer).toMatchObject({ status, text: status === 200 ? 'asleep\n' : '' });
      if (status === 204) expect(answer.fields['content-length']).toBeUndefined();
    }
    expect(client.peek().length).toBe(0);
  },
);

test('wake rules are not asked while the service is awake, nor of one that cannot be started', async () => {
  const wake = [{ path: '/', userAgent: undefined, then: 'answer' as const, status: 200 }];
  const origin = await Origin.listen();
  const h = await EdgeHarness.ready(origin, { wake });
  const client = await h.connect();
  client.get();
  expect((await client.answer()).text).toBe('hello');
  h.table(policy({ wake, wakeable: false }), { states: [] });
  h.state();
  client.get();
  expect((await client.answer()).text).toContain('NO_ENDPOINT');
});
