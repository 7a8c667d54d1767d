import { expect, test } from 'vitest';
import { policy } from '../edge-harness.ts';
import { routes, rules, serve } from './rules.ts';

const twoASecond = rules({ rate: { requests: 2, perMs: 1000, burst: 3 } });

test('more than the rate is answered with 429, Retry-After and no Proxy-Status; nothing of it reaches the service', async () => {
  const { harness, seen } = await serve({ '/': twoASecond });
  const client = await harness.connect();
  const statuses: number[] = [];
  for (let i = 0; i < 5; i++) {
    client.get(`/${i}`);
    const answer = await client.answer();
    statuses.push(answer.status);
    if (answer.status !== 429) continue;
    expect(answer.fields['retry-after']).toEqual(['1']);
    expect(answer.fields['proxy-status']).toBeUndefined();
    expect(answer.fields['x-request-id']).toHaveLength(1);
    expect(JSON.parse(answer.text)).toMatchObject({ code: 'RATE_LIMITED', status: 429, retrySafe: true });
  }
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
  expect(seen.map(({ line }) => line)).toEqual(['GET /0 HTTP/1.1', 'GET /1 HTTP/1.1', 'GET /2 HTTP/1.1']);
  harness.clock.advance(500);
  client.get('/later');
  expect((await client.answer()).status).toBe(200);
});

test('a proxy that is one of several lets a client have its part of the rate, for as long as there are so many', async () => {
  const { harness } = await serve({ '/': rules({ rate: { requests: 6, perMs: 1000, burst: 6 } }) });
  const client = await harness.connect();
  const passed = async () => {
    let count = 0;
    for (let i = 0; i < 8; i++) {
      client.get(`/${i}`);
      if ((await client.answer()).status === 200) count++;
    }
    return count;
  };
  harness.send({ type: 'members', count: 3 });
  await harness.report();
  expect(await passed()).toBe(2);
  harness.clock.advance(60_000);
  harness.send({ type: 'members', count: 1 });
  await harness.report();
  expect(await passed()).toBe(6);
});

test('Retry-After is the time to the next token, rounded up', async () => {
  const { harness } = await serve({ '/': rules({ rate: { requests: 1, perMs: 60_000, burst: 1 } }) });
  const client = await harness.connect();
  client.get();
  await client.answer();
  harness.clock.advance(29_500);
  client.get();
  expect((await client.answer()).fields['retry-after']).toEqual(['31']);
});

test('each client has its own bucket: the rightmost untrusted address', async () => {
  const { harness } = await serve(
    { '/': rules({ rate: { requests: 1, perMs: 1000, burst: 1 } }) },
    { trustedProxies: ['127.0.0.0/8'] },
  );
  const client = await harness.connect();
  const from = async (chain: string) => {
    client.get('/', `X-Forwarded-For: ${chain}\r\n`);
    return (await client.answer()).status;
  };
  expect(await from('203.0.113.1')).toBe(200);
  expect(await from('203.0.113.1')).toBe(429);
  expect(await from('198.51.100.9, 203.0.113.1')).toBe(429);
  expect(await from('203.0.113.2')).toBe(200);
  expect(await from('2001:db8::1')).toBe(200);
  expect(await from('2001:db8::2')).toBe(429);
});

test('only the route with the rate is limited, and a reload that leaves it as it is forgets nobody', async () => {
  const { harness } = await serve({ '/': undefined, '/api': twoASecond });
  const client = await harness.connect();
  const ask = async (path: string) => {
    client.get(path);
    return (await client.answer()).status;
  };
  for (let i = 0; i < 4; i++) await ask('/api');
  expect(await ask('/')).toBe(200);
  expect(await ask('/api')).toBe(429);
  harness.table(policy(), { routes: routes({ '/': undefined, '/api': twoASecond, '/new': undefined }) });
  expect(await ask('/api')).toBe(429);
  harness.table(policy(), { routes: routes({ '/api': rules({ rate: { requests: 2, perMs: 1000, burst: 4 } }) }) });
  expect(await ask('/api')).toBe(200);
});

test('who is over the rate neither wakes a service nor counts as its load', async () => {
  const { harness } = await serve({ '/': rules({ rate: { requests: 1, perMs: 3_600_000, burst: 1 } }) });
  const client = await harness.connect();
  for (let i = 0; i < 3; i++) {
    client.get();
    await client.answer();
  }
  harness.state({ endpoints: [] });
  client.get();
  expect((await client.answer()).status).toBe(429);
  expect(harness.all('demand')).toEqual([]);
  expect(await harness.sum('arrivals')).toBe(1);
  expect(await harness.codes()).toEqual({ 200: 1, 429: 3 });
});
