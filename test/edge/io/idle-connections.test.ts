import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IdleConnection, IdleConnections } from '../../../src/edge/io/idle-connections.ts';
import type { ListenLimits } from '../../../src/model/settings.ts';
import { at, EdgeHarness, policy } from '../edge-harness.ts';
import { Client, Origin, silent, until } from '../wire.ts';

async function limited(limits: Partial<ListenLimits>, script = undefined as typeof silent | undefined) {
  const origin = await Origin.listen(script);
  const harness = await EdgeHarness.start(policy(), {}, {}, { limits });
  harness.state({ endpoints: [at(origin)] });
  return { harness, origin };
}

/** Connections that have each been served once, in this order. */
async function served(harness: EdgeHarness, count: number, localAddress?: string): Promise<Client[]> {
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) {
    const client = await harness.connect('127.0.0.1', localAddress);
    await asks(client);
    clients.push(client);
  }
  return clients;
}

async function asks(client: Client): Promise<void> {
  client.get();
  expect((await client.answer()).status).toBe(200);
}

const over = (clients: Client[]) => clients.map((client, index) => (client.over ? index : -1)).filter((i) => i >= 0);

/** The server side of a connection closes a moment after it was made up its mind. */
const closed = (clients: Client[], indices: number[]) =>
  until(() => String(over(clients)) === String(indices), `exactly ${indices} to be closed`);

describe('where all places are taken', () => {
  test('the connections that have been idle for longest make room, one each', async () => {
    const { harness } = await limited({ connections: 16 });
    const clients = await served(harness, 16);
    await asks(clients[0] as Client);
    await asks(clients[2] as Client);
    const late = await served(harness, 3);
    await closed(clients, [1, 3, 4]);
    expect((clients[1] as Client).ending).toBe('end');
    for (const client of [clients[0], clients[2], clients[5], ...late]) await asks(client as Client);
    expect((await harness.report()).connections).toBe(16);
  });

  test('those with a request in progress, or a part of one, keep theirs; only where no other is left a new one is 503', async () => {
    const { harness, origin } = await limited({ connections: 4 }, silent);
    const clients: Client[] = [];
    for (let i = 0; i < 4; i++) clients.push(await harness.connect());
    const [waiting, streaming, partial, crumbs] = clients as [Client, Client, Client, Client];
    waiting.get();
    await (await origin.connection(0)).head();
    streaming.get();
    await (await origin.connection(1)).head();
    (await origin.connection(1)).write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello');
    await streaming.readThrough('hello');
    partial.write('G');
    await harness.taken(partial);
    crumbs.write('\r\n');
    await harness.taken(crumbs);
    const late = await harness.connect();
    await closed(clients, [3]);
    late.write('P');
    await harness.taken(late);
    expect((await (await harness.connect()).answer()).status).toBe(503);
    await closed([...clients, late], [3]);
  });

  test('an empty line behind a body is no request in progress', async () => {
    const { harness } = await limited({ connections: 1 });
    const client = await harness.connect();
    client.write('POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 1\r\n\r\nx\r\n');
    expect((await client.answer('POST')).status).toBe(200);
    await served(harness, 1);
    await closed([client], [0]);
  });

  test('a full house of those that have never said anything locks nobody out', async () => {
    const { harness } = await limited({ connections: 32 });
    const quiet: Client[] = [];
    for (let i = 0; i < 32; i++) quiet.push(await harness.connect());
    const late = await served(harness, 28);
    await closed(
      quiet,
      Array.from({ length: 28 }, (_, index) => index),
    );
    for (const client of late) await asks(client);
  });

  test('a flood of those closes no more than an eighth of what is in use', async () => {
    const { harness } = await limited({ connections: 32 });
    const clients = await served(harness, 32);
    for (let i = 0; i < 300; i++) await harness.connect();
    await closed(clients, [0, 1, 2, 3, 4]);
    for (const client of clients.slice(5)) await asks(client);
  });

  test('of a burst each gets its answer, or is told that there are too many', async () => {
    const { harness } = await limited({ connections: 16 });
    const clients = await Promise.all(Array.from({ length: 64 }, () => Client.open(harness.port)));
    for (const client of clients) client.get();
    const statuses = await Promise.all(clients.map(async (client) => (await client.answer()).status));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(16);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  });

  test('a new one has a moment for its request, then it counts as idle', async () => {
    const { harness, origin } = await limited({ connections: 16 });
    origin.script = silent;
    const busy: Client[] = [];
    for (let i = 0; i < 15; i++) {
      const client = await harness.connect();
      client.get();
      await harness.inFlight(i + 1);
      busy.push(client);
    }
    const fresh = await harness.connect();
    harness.clock.advance(900);
    expect((await (await harness.connect()).answer()).status).toBe(503);
    harness.clock.advance(200);
    const late = await harness.connect();
    await closed([...busy, fresh], [15]);
    late.get();
    await harness.inFlight(16);
  });

  test('those that have had their last answer make room when no other does', async () => {
    const { harness, origin } = await limited({ connections: 2 });
    const refused = await harness.connect();
    refused.write('no request\r\n\r\n');
    expect((await refused.answer()).status).toBe(400);
    origin.script = silent;
    for (const count of [1, 2]) {
      const client = await harness.connect();
      client.get();
      await harness.inFlight(count);
    }
    expect((await (await harness.connect()).answer()).status).toBe(503);
  });

  test('a client that has too many already takes no other’s place', async () => {
    const { harness } = await limited({ connections: 8, connectionsPerClient: 4 });
    const others = await served(harness, 4);
    const greedy = await served(harness, 4, '127.0.0.2');
    for (let i = 0; i < 5; i++) {
      const more = await harness.connect('127.0.0.1', '127.0.0.2');
      expect((await more.answer()).status).toBe(503);
    }
    await closed([...others, ...greedy], []);
  });
});

test('whoever comes, rests, goes on and leaves in whatever order, the longest idle one makes room', () => {
  const step = fc.record({ what: fc.constantFrom('rest', 'end', 'leave', 'room'), of: fc.nat(7) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const idle = new IdleConnections();
      const gone: number[] = [];
      const connections = Array.from(
        { length: 8 },
        (_, index): IdleConnection => ({
          previousIdle: undefined,
          nextIdle: undefined,
          silentSince: 0,
          idleIn: undefined,
          giveWay: () => gone.push(index),
        }),
      );
      const lists = { rest: [] as number[], end: [] as number[] };
      for (const { what, of } of steps) {
        const expected = what === 'room' ? (lists.rest[0] ?? lists.end[0]) : of;
        for (const name of ['rest', 'end'] as const) lists[name] = lists[name].filter((each) => each !== expected);
        if (what === 'room') {
          gone.length = 0;
          expect(idle.makeRoom(8, 0)).toBe(expected !== undefined);
          expect(gone).toEqual(expected === undefined ? [] : [expected]);
        } else {
          if (what !== 'leave') lists[what as 'rest' | 'end'].push(of);
          idle[what as 'rest' | 'end' | 'leave'](connections[of] as IdleConnection);
        }
      }
    }),
  );
});
