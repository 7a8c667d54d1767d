import { expect, test } from 'vitest';
import { Load } from '../../../src/edge/service/load.ts';
import { bucketMiddle, type SparseCounts } from '../../../src/util/histogram.ts';
import { at, EdgeHarness } from '../edge-harness.ts';
import { Origin, type OriginConnection, ok, silent } from '../wire.ts';

const values = (counts: SparseCounts = []) =>
  counts.flatMap((bucket, i) => (i % 2 === 0 ? Array<number>(counts[i + 1] as number).fill(bucketMiddle(bucket)) : []));

test('load is integrated over exactly the time of a report', () => {
  const load = new Load();
  load.change(1, 1000);
  load.change(1, 1200);
  load.change(-1, 1300);
  expect(load.take(1500)).toBe(500 + 100);
  expect(load.take(1600)).toBe(100);
  load.change(-1, 1650);
  expect(load.take(2600)).toBe(50);
  expect(load.take(3600)).toBe(0);
});

async function get(harness: EdgeHarness) {
  const client = await harness.connect();
  client.get();
  await harness.taken(client);
  return client;
}

async function answer(connection: OriginConnection, status = 200) {
  await connection.head();
  connection.write(status === 200 ? ok() : `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`);
}

test('a request that waits for a slot and then flies is load once at any moment, and both count as its time', async () => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.ready(origin, { concurrency: 1 });
  await harness.report();
  const [first, second] = [await get(harness), await get(harness)];
  await harness.held(1);
  await harness.report();
  harness.clock.advance(400);
  const before = await harness.service();
  expect(before?.loadMs).toBeCloseTo(800, 3);
  expect(values(before?.queued)).toEqual([expect.closeTo(400, -2)]);
  const connection = await origin.connection(0);
  await answer(connection);
  await first.answer();
  await harness.held(0);
  harness.clock.advance(200);
  await answer(connection);
  await second.answer();
  const after = await harness.service();
  expect(harness.all('report').reduce((sum, { services }) => sum + (services[0]?.loadMs ?? 0), 0)).toBeCloseTo(1000, 3);
  expect(after?.queued).toEqual([]);
});

test('a wait for a start is no load', async () => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.start();
  await get(harness);
  await harness.held(1);
  harness.clock.advance(900);
  expect(await harness.service()).toMatchObject({ loadMs: 0, queued: [], held: 1 });
  harness.state({ endpoints: [at(origin)] });
  await harness.inFlight(1);
  await harness.report();
  harness.clock.advance(50);
  expect((await harness.service())?.loadMs).toBeCloseTo(50, 3);
});

test('after an endpoint joined, only requests that came later are timed by endpoint', async () => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.ready(origin);
  const early = await get(harness);
  await harness.inFlight(1);
  harness.clock.advance(300);
  const other = await Origin.listen(silent);
  harness.state({ endpoints: [at(origin), at(other, { weight: 0 })] });
  await answer(await origin.connection(0));
  await early.answer();
  const report = await harness.service();
  expect(values(report?.ttfb)).toEqual([expect.closeTo(300, -2)]);
  expect(report?.endpoints[0]).toMatchObject({ answers: 1, ttfb: [], calm: [] });
});

test('only what finds its endpoint without load is calm', async () => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.ready(origin);
  const clients = [await get(harness), await get(harness)];
  await harness.inFlight(2);
  harness.clock.advance(80);
  for (const index of [0, 1]) await answer(await origin.connection(index));
  for (const client of clients) await client.answer();
  const endpoint = (await harness.service())?.endpoints[0];
  expect(endpoint?.answers).toBe(2);
  expect(values(endpoint?.ttfb)).toHaveLength(2);
  expect(values(endpoint?.calm)).toHaveLength(1);
});

test.each([
  [503, { shed: 1, errors: 0, good: 0 }],
  [500, { shed: 0, errors: 1, good: 0 }],
  [404, { shed: 0, errors: 0, good: 1 }],
  [429, { shed: 0, errors: 0, good: 0 }],
])('an answer %d counts as %j', async (status, counts) => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.ready(origin);
  const client = await get(harness);
  await answer(await origin.connection(0), status);
  await client.answer();
  expect(await harness.service()).toMatchObject(counts);
});

test('a status that the policy names sheds load, and 503 is an error where it does not', async () => {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.ready(origin, { shed: [429] });
  const clients = [await get(harness), await get(harness)];
  await harness.inFlight(2);
  await answer(await origin.connection(0), 429);
  await answer(await origin.connection(1), 503);
  for (const client of clients) await client.answer();
  expect(await harness.service()).toMatchObject({ shed: 1, errors: 1, good: 0 });
});
