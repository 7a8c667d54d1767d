import { expect, test } from 'vitest';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { type Client, Origin, ok, silent } from '../wire.ts';

/** As many requests are held as were asked for. */
async function holding(count: number, change: Parameters<typeof policy>[0] = {}) {
  const harness = await EdgeHarness.start(policy(change));
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) {
    const client = await harness.connect();
    client.get();
    clients.push(client);
  }
  await harness.held(count);
  return { harness, clients };
}

test('what was held is let go 1, 2, 4 … every 100 ms while no first byte comes', async () => {
  const origin = await Origin.listen(silent);
  const { harness } = await holding(20);
  harness.state({ endpoints: [at(origin)] });
  await harness.inFlight(1);
  for (const inFlight of [3, 7, 15, 20]) {
    harness.clock.advance(99);
    const before = (await harness.service())?.inFlight ?? 0;
    expect(before).toBeLessThan(inFlight);
    harness.clock.advance(1);
    await harness.inFlight(inFlight);
  }
});

test('each first byte doubles the pace at once', async () => {
  const origin = await Origin.listen(silent);
  const { harness } = await holding(12);
  harness.state({ endpoints: [at(origin)] });
  const seen = async (index: number) => {
    const connection = await origin.connection(index);
    await connection.head();
    return connection;
  };
  (await seen(0)).write(ok());
  // The first is answered; two are let go for it, and four for the first answer of those.
  await harness.inFlight(2);
  const second = await seen(1);
  second.write(ok());
  await harness.inFlight(5);
  await harness.held(5);
});

test('two replicas that get ready together get one each to begin with', async () => {
  const origins = [await Origin.listen(silent), await Origin.listen(silent)];
  const { harness } = await holding(9);
  harness.state({ endpoints: origins.map((origin) => at(origin)) });
  await harness.inFlight(2);
  await harness.held(7);
});

test('where concurrency bounds what is in flight, the free slots are the pace', async () => {
  const origin = await Origin.listen(silent);
  const { harness } = await holding(9, { concurrency: 6 });
  harness.state({ endpoints: [at(origin)] });
  await harness.inFlight(6);
  await harness.held(3);
  harness.clock.advance(1000);
  await harness.held(3);
});
