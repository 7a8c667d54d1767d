import { describe, expect, test } from 'vitest';
import { at, EdgeHarness } from '../edge-harness.ts';
import { Origin, ok, silent } from '../wire.ts';

const wake = [
  { path: '/healthz', userAgent: undefined, then: 'answer' as const, status: 204 },
  { path: undefined, userAgent: '*bot*', then: 'deny' as const, status: 200 },
  { path: '/api', userAgent: undefined, then: 'wake' as const, status: 200 },
];

const probes = [
  ['/healthz', ''],
  ['/', 'User-Agent: a Robot\r\n'],
] as const;

describe('a request that may not wake a service, while it is awake,', () => {
  test.each(probes)('goes to it, and is no activity, arrival or sample: %s %s', async (path, fields) => {
    const origin = await Origin.listen();
    const h = await EdgeHarness.ready(origin, { wake });
    h.clock.advance(10_000);
    const client = await h.connect();
    client.get(path, fields);
    expect((await client.answer()).status).toBe(200);
    const report = await h.service();
    expect(report).toMatchObject({ requests: 1, arrivals: 0, completions: 0, ttfb: [], codes: [200, 1] });
    expect(report?.idleForMs).toBeGreaterThanOrEqual(10_000);
    expect(report?.lastRequest).toBeUndefined();
    expect(report?.endpoints).toMatchObject([{ ttfb: [] }]);
  });

  test('is in flight as any other, but is neither activity nor waits as load', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { wake });
    const client = await h.connect();
    client.get('/healthz');
    await (await origin.connection()).head();
    h.clock.advance(5000);
    const report = await h.service();
    expect(report).toMatchObject({ inFlight: 1, passive: 1 });
    expect(report?.idleForMs).toBeGreaterThanOrEqual(5000);
    expect(report?.endpoints).toMatchObject([{ inFlight: 1, waiting: [] }]);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    const ack = await h.message('ack');
    expect(ack).toMatchObject({ inFlight: 1, quiet: 0, passive: 1 });
    expect(ack.idleForMs).toBeGreaterThanOrEqual(5000);
    // It is still answered: the retire waits for it.
    h.clock.advance(1000);
    await h.report();
    expect(h.all('drained')).toEqual([]);
    (await origin.connection()).write(ok('late'));
    expect((await client.answer()).text).toBe('late');
    expect(await h.message('drained')).toMatchObject({ quiet: 0 });
  });

  test('does not take a retire back: it is answered as asleep', async () => {
    const origin = await Origin.listen();
    const h = await EdgeHarness.ready(origin, { wake });
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    const client = await h.connect();
    client.get('/healthz');
    expect((await client.answer()).status).toBe(204);
    expect(h.all('demand')).toEqual([]);
  });

  test('that waits for a slot asks for nothing, and is answered as asleep when the last replica goes', async () => {
    const origin = await Origin.listen(silent);
    const h = await EdgeHarness.ready(origin, { wake, concurrency: 1 });
    const [person, probe] = [await h.connect(), await h.connect()];
    person.get('/api');
    await (await origin.connection()).head();
    const before = h.all('demand').length;
    probe.get('/healthz');
    await h.taken(probe);
    expect(await h.service()).toMatchObject({ inFlight: 1, held: 0 });
    expect(h.all('demand')).toHaveLength(before);
    h.state({ endpoints: [at(origin, { state: 'cordoned' })] });
    expect((await probe.answer()).status).toBe(204);
    expect(h.all('demand').every(({ held }) => held === 0)).toBe(true);
  });

  test('whose replica is gone causes no start', async () => {
    const origin = await Origin.listen();
    const h = await EdgeHarness.ready(origin, { wake });
    await origin.close();
    const client = await h.connect();
    client.get('/healthz');
    await h.message('suspect');
    h.state({ endpoints: [] });
    expect((await client.answer()).status).toBe(204);
    expect(h.all('demand')).toEqual([]);
  });
});

test('other requests are activity, and the last one is told of', async () => {
  const origin = await Origin.listen();
  const h = await EdgeHarness.ready(origin, { wake });
  h.clock.advance(10_000);
  const client = await h.connect();
  client.get('/api/orders?token=secret');
  await client.answer();
  client.get('/healthz');
  await client.answer();
  h.clock.advance(3000);
  expect(await h.service()).toMatchObject({ idleForMs: 3000, lastRequest: 'GET /api/orders' });
  expect(await h.sum('arrivals')).toBe(1);
});
