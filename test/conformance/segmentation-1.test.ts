import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { Client } from './harness/client.ts';
import { everyByte } from './harness/pacing.ts';
import { half, inPieces } from './harness/pieces-suite.ts';

it('pieces arrive apart', async () => {
  const pieces: string[] = [];
  const server = createServer((socket) => socket.on('data', (bytes) => pieces.push(bytes.toString('latin1'))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const client = await Client.open(bound !== null && typeof bound === 'object' ? bound.port : 0);
  try {
    await client.send('in nineteen pieces.', everyByte('in nineteen pieces.'));
    await expect.poll(() => pieces.join('')).toBe('in nineteen pieces.');
    expect(pieces).toHaveLength(19);
  } finally {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

inPieces(half(0));
