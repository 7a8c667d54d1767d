import { describe, expect, test } from 'vitest';
import { EdgeHarness } from '../edge-harness.ts';
import { answering, type Client, Origin, type OriginConnection, ok, until } from '../wire.ts';

const request = (method: string) => `${method} / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\n\r\nbody`;

/** An edge that keeps `count` connections to its only endpoint. */
async function kept(count = 1) {
  const lines: string[] = [];
  let hold = true;
  const origin = await Origin.listen(async (connection) => {
    await connection.request();
    await until(() => !hold, 'all of them');
    connection.write(ok());
    await answering(({ line }) => {
      lines.push(line);
      return ok();
    })(connection);
  });
  const h = await EdgeHarness.ready(origin);
  const clients: Client[] = [];
  for (let i = 0; i < count; i++) {
    const client = await h.connect();
    client.get();
    clients.push(client);
  }
  await until(() => origin.connections.length === count, 'as many connections');
  hold = false;
  for (const client of clients) await client.answer();
  await h.inFlight(0);
  return { h, origin, lines, clients };
}

describe('a request that cannot be sent again', () => {
  test.each([
    ['an end', 1, (connection: OriginConnection) => connection.destroy()],
    ['a reset', 1, (connection: OriginConnection) => connection.reset()],
    ['an end', 3, (connection: OriginConnection) => connection.destroy()],
  ])('is not written behind %s that lies unread in a connection kept after %d', async (_name, uses, leave) => {
    for (let round = 0; round < 10; round++) {
      const { h, origin, lines, clients } = await kept();
      for (let use = 1; use < uses; use++) {
        (clients[0] as Client).get();
        await (clients[0] as Client).answer();
      }
      if (uses > 1) h.clock.advance(10);
      // Both are there when the sockets are looked at next, the request first.
      (clients[0] as Client).write(request('POST'));
      leave(origin.connections[0] as OriginConnection);
      expect((await (clients[0] as Client).answer('POST')).status).toBe(200);
      expect(lines.filter((line) => line.startsWith('POST')).length).toBeLessThanOrEqual(1);
      expect(origin.connections).toHaveLength(2);
      expect(await h.sum('resets')).toBe(0);
    }
  });

  test('goes out on another kept one that is still open', async () => {
    const { h, origin, clients } = await kept(3);
    (clients[0] as Client).write(request('POST'));
    for (const connection of origin.connections.slice(1)) connection.destroy();
    expect((await (clients[0] as Client).answer('POST')).status).toBe(200);
    expect(origin.connections).toHaveLength(3);
    expect(origin.open).toBe(1);
    await h.inFlight(0);
  });

  test('whose client leaves meanwhile leaves nothing behind', async () => {
    const { h, origin, clients } = await kept();
    const client = clients[0] as Client;
    client.write(request('POST'));
    client.reset();
    await h.connections(0);
    await h.inFlight(0);
    await h.close();
    await until(() => origin.open === 0, 'no connection');
  });

  test.each(['native', 'http-proxy'] as const)(
    'that is cut off is sent once: 502, not safe to repeat, no failure of the endpoint (%s)',
    async (engine) => {
      const posts: string[] = [];
      const origin = await Origin.listen(async (connection) => {
        await connection.request();
        connection.write(ok());
        posts.push((await connection.request())?.line ?? '');
        connection.reset();
      });
      const h = await EdgeHarness.ready(origin, { engine, wakeable: false });
      const client = await h.connect();
      client.get();
      await client.answer();
      client.write(request('POST'));
      const answer = await client.answer('POST');
      expect(answer.status).toBe(502);
      expect(JSON.parse(answer.text)).toMatchObject({ code: 'UPSTREAM_RESET', retrySafe: false });
      expect(posts).toEqual(['POST / HTTP/1.1']);
      expect(await h.sum('resets')).toBe(0);
    },
  );
});
