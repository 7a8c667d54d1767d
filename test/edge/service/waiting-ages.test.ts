import { expect, test } from 'vitest';
import { bucketMiddle, type SparseCounts } from '../../../src/util/histogram.ts';
import { at, EdgeHarness } from '../edge-harness.ts';
import { Origin, silent } from '../wire.ts';

const ages = (counts: SparseCounts) =>
  counts.flatMap((bucket, i) => (i % 2 === 0 ? Array<number>(counts[i + 1] as number).fill(bucketMiddle(bucket)) : []));

test('a report tells by endpoint how old the requests without a first byte are', async () => {
  const [first, second] = [await Origin.listen(silent), await Origin.listen(silent)];
  const harness = await EdgeHarness.ready([first, second]);
  const clients = [await harness.connect(), await harness.connect()];
  for (const [index, client] of clients.entries()) {
    client.write('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await harness.inFlight(index + 1);
    harness.clock.advance(500);
  }
  const upgrade = await harness.connect();
  upgrade.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await harness.inFlight(3);
  const { endpoints = [] } = (await harness.service()) ?? {};
  const byAge = endpoints.map(({ waiting }) => ages(waiting)).sort(([a = 0], [b = 0]) => a - b);
  expect(byAge).toEqual([[expect.closeTo(500, -2)], [expect.closeTo(1000, -2)]]);
  expect(endpoints.map(({ endpoint }) => endpoint).sort()).toEqual([at(first).id, at(second).id].sort());
});
