import { expect, test } from 'vitest';
import { at, EdgeHarness, type policy } from '../edge-harness.ts';
import { type Client, Origin, ok, silent } from '../wire.ts';

const passive = { path: '/', userAgent: undefined, then: 'deny' as const, status: 503 };

async function limited(requests: number, inFlightLimit: number | null, change: Parameters<typeof policy>[0] = {}) {
  const origin = await Origin.listen(silent);
  const harness = await EdgeHarness.ready(origin, change);
  const endpoints = [at(origin)];
  harness.state({ endpoints, inFlightLimit });
  const clients: Client[] = [];
  for (let i = 0; i < requests; i++) {
    const client = await harness.connect();
    client.get();
    await harness.taken(client);
    clients.push(client);
  }
  return { harness, origin, endpoints, clients };
}

test('what exceeds the limit waits, and goes as others are answered', async () => {
  const { harness, origin } = await limited(5, 2);
  await harness.inFlight(2);
  await harness.held(3);
  harness.clock.advance(10);
  expect(await harness.message('demand', ({ held }) => held === 3)).toMatchObject({ inFlight: 2 });
  const connection = await origin.connection(0);
  await connection.head();
  connection.write(ok());
  await harness.held(2);
  await harness.inFlight(2);
});

test('what waits goes to an endpoint that joins, within the limit', async () => {
  const { harness, endpoints } = await limited(5, 2);
  await harness.held(3);
  const second = await Origin.listen(silent);
  harness.state({ endpoints: [...endpoints, at(second)], inFlightLimit: 2 });
  await harness.held(1);
  const report = await harness.service();
  expect(report?.endpoints.map(({ inFlight }) => inFlight)).toEqual([2, 2]);
});

test('when the limit is lifted all go, at the pace of a release; when it is raised, as many as fit', async () => {
  const { harness, endpoints } = await limited(9, 1);
  await harness.held(8);
  harness.state({ endpoints, inFlightLimit: 3 });
  await harness.held(6);
  harness.state({ endpoints, inFlightLimit: null });
  await harness.held(5);
  await harness.pass(300, 100);
  await harness.held(0);
  await harness.inFlight(9);
});

test('a limit under what is in flight cuts nothing', async () => {
  const { harness, origin, endpoints, clients } = await limited(3, null);
  await harness.inFlight(3);
  harness.state({ endpoints, inFlightLimit: 1 });
  const late = await harness.connect();
  late.get();
  await harness.held(1);
  await harness.inFlight(3);
  const connection = await origin.connection(0);
  await connection.head();
  connection.write(ok());
  expect((await (clients[0] as Client).answer()).status).toBe(200);
  await harness.inFlight(2);
  await harness.held(1);
});

test('the bounds of the hold and its deadline stay, and count as load that was turned away', async () => {
  const { harness, endpoints, clients } = await limited(2, 1, { hold: { max: 1 } });
  await harness.held(1);
  harness.state({ endpoints, inFlightLimit: 1, holdTimeoutMs: 30_000 });
  const refused = await harness.connect();
  refused.get();
  expect((await refused.answer()).status).toBe(503);
  await harness.pass(30_000, 1000);
  expect((await (clients[1] as Client).answer()).status).toBe(504);
  expect(await harness.sum('shed')).toBe(2);
});

test('a client that gives up while it waits leaves its place', async () => {
  const { harness, clients } = await limited(3, 1);
  await harness.held(2);
  (clients[1] as Client).socket.resetAndDestroy();
  await harness.held(1);
  await harness.inFlight(1);
});

test('requests that may not wake the service wait as others, and are no demand', async () => {
  const { harness } = await limited(2, 1, { wake: [passive] });
  const report = await harness.service();
  expect(report).toMatchObject({ inFlight: 1, passive: 1, held: 0, loadMs: 0, queued: [] });
});
