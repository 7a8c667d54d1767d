import { describe, expect, test } from 'vitest';
import { ask, Backend, eventually, served } from '../backends.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { deadPort } from '../wire.ts';

const routeOnly = { wakeable: false } as const;

describe('a limit of requests in flight', () => {
  test('sends what is beyond it to another endpoint', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    a.mood = 'silent';
    b.mood = 'silent';
    const harness = await EdgeHarness.start(policy({ ...routeOnly, balance: 'round-robin' }));
    harness.state({ endpoints: [at(a, { maxConnections: 2 }), at(b)] });
    const clients = await Promise.all(Array.from({ length: 10 }, () => harness.connect()));
    for (const client of clients) client.get();
    await harness.inFlight(10);
    await eventually(() => [a.requests, b.requests]).toEqual([2, 8]);
  });

  test('makes requests wait where every endpoint is full, and lets them go one by one, in order', async () => {
    const a = await Backend.listen('a', 'silent');
    const harness = await EdgeHarness.start(policy(routeOnly));
    harness.state({ endpoints: [at(a, { maxConnections: 2 })] });
    const clients = await Promise.all(Array.from({ length: 5 }, () => harness.connect()));
    for (const [index, client] of clients.entries()) {
      client.get(`/${index}`);
      await eventually(async () => (await harness.service())?.arrivals ?? 0).toBe(1);
    }
    await harness.held(3);
    await eventually(() => a.requests).toBe(2);
    a.mood = 200;
    clients[0]?.reset();
    await Promise.all(clients.slice(2).map((client) => client.answer()));
    expect(a.targets.slice(2)).toEqual(['/2', '/3', '/4']);
    await harness.held(0);
    expect((await harness.service())?.inFlight).toBe(1);
  });

  test('answers 503 at once beyond what may wait, and 504 to who waits too long', async () => {
    const a = await Backend.listen('a', 'silent');
    const harness = await EdgeHarness.start(policy({ ...routeOnly, hold: { max: 1 } }));
    harness.state({ endpoints: [at(a, { maxConnections: 1 })], holdTimeoutMs: 2000 });
    const [first, second, third] = await Promise.all([harness.connect(), harness.connect(), harness.connect()]);
    first.get();
    await eventually(() => a.requests).toBe(1);
    second.get();
    await harness.held(1);
    third.get();
    const refused = await third.answer();
    expect([refused.status, refused.fields['retry-after']]).toEqual([503, ['1']]);
    await harness.pass(2200);
    expect((await second.answer()).status).toBe(504);
  });

  test('can be changed while the endpoint is in use', async () => {
    const a = await Backend.listen('a', 'silent');
    const harness = await EdgeHarness.start(policy(routeOnly));
    harness.state({ endpoints: [at(a, { maxConnections: 1 })] });
    const clients = await Promise.all(Array.from({ length: 3 }, () => harness.connect()));
    for (const client of clients) client.get();
    await harness.held(2);
    harness.state({ endpoints: [at(a, { maxConnections: 2 })] });
    await harness.held(1);
    harness.state({ endpoints: [at(a)] });
    await harness.pass(200);
    await harness.inFlight(3);
  });
});

describe('a backup', () => {
  test('gets nothing while another is usable, also when that one is full', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.start(policy(routeOnly));
    harness.state({ endpoints: [at(a, { maxConnections: 1 }), at(b, { backup: true })] });
    expect(await served(harness, 10)).toBe('a');
    a.mood = 'silent';
    const [first, second] = await Promise.all([harness.connect(), harness.connect()]);
    first.get();
    second.get();
    await harness.held(1);
    expect(b.requests).toBe(0);
  });

  test('takes over when the others are gone, and steps back when one returns', async () => {
    const [a, b] = (await Backend.all('ab')) as [Backend, Backend];
    const harness = await EdgeHarness.start(policy(routeOnly));
    harness.state({ endpoints: [at(a), at(b, { backup: true })] });
    expect(await served(harness, 4)).toBe('a');
    harness.state({ endpoints: [at(b, { backup: true })] });
    expect(await served(harness, 4)).toBe('b');
    harness.state({ endpoints: [at(a), at(b, { backup: true })] });
    expect(await served(harness, 4)).toBe('a');
    harness.state({ endpoints: [at(a, { state: 'cordoned' }), at(b, { backup: true })] });
    expect(await served(harness, 4)).toBe('b');
  });

  test('takes over a request whose connect to the others failed', async () => {
    const b = await Backend.listen('b');
    const harness = await EdgeHarness.start(policy(routeOnly));
    harness.state({ endpoints: [at({ port: await deadPort() }), at(b, { backup: true })] });
    const client = await harness.connect();
    expect(await ask(client, 3)).toEqual(['b', 'b', 'b']);
    expect(harness.all('suspect')).toHaveLength(1);
  });
});
