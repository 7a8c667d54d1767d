import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { RawConnection } from '../support/raw-client.ts';
import { place, serve } from './program.ts';

const PLACES = 16;

/** A program with so many places before a service. @returns its port */
async function crowded(workers: number, answer: (response: ServerResponse) => void): Promise<number> {
  const upstream = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  onTestFinished(() => {
    upstream.closeAllConnections();
    upstream.close();
  });
  const address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const at = await place({ workers, services: { app: { routes: [{ path: '/' }], endpoints: { static: [address] } } } });
  await at.write({ listen: [{ address: `127.0.0.1:${at.port}`, limits: { connections: PLACES } }] });
  await serve(at);
  return at.port;
}

test.each([1, 2])(
  'of a burst each client is served or told that there are too many, with %i workers',
  async (workers) => {
    const port = await crowded(workers, (response) => setTimeout(() => response.end('served'), 300));
    const ask = async () => {
      const connection = await RawConnection.open(port);
      onTestFinished(() => connection.destroy());
      return (await connection.read('GET', await connection.send({ host: 'a' }))).status;
    };
    const statuses = await Promise.all(Array.from({ length: 6 * PLACES }, ask));
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThanOrEqual(PLACES / 2);
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
  },
);

test.each([1, 2])('a full house of idle connections locks nobody out, with %i workers', async (workers) => {
  const port = await crowded(workers, (response) => response.end('served'));
  for (let i = 0; i < 4 * PLACES; i++) {
    const connection = await RawConnection.open(port);
    onTestFinished(() => connection.destroy());
    // One half of them never says a word.
    if (i % 2 === 0) continue;
    const sent = await connection.send({ host: 'a' });
    expect((await connection.read('GET', sent)).status).toBe(200);
  }
});
