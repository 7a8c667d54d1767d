import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { RawConnection } from '../support/raw-client.ts';
import { place, serve } from './program.ts';

const PLACES = 16;

test.each([1, 2])('a full house of idle connections locks nobody out, with %i workers', async (workers) => {
  const upstream = createServer((_request, response) => response.end('served')).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  onTestFinished(() => void upstream.close());
  const address = `127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  const at = await place({ workers, services: { app: { routes: [{ path: '/' }], endpoints: { static: [address] } } } });
  await at.write({ listen: [{ address: `127.0.0.1:${at.port}`, limits: { connections: PLACES } }] });
  await serve(at);
  for (let i = 0; i < 4 * PLACES; i++) {
    const connection = await RawConnection.open(at.port);
    onTestFinished(() => connection.destroy());
    // One half of them never says a word.
    if (i % 2 === 0) continue;
    const sent = await connection.send({ host: 'a' });
    expect((await connection.read('GET', sent)).status).toBe(200);
  }
});
