import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { Client } from './harness/client.ts';
import { everyByte } from './harness/pacing.ts';
import { half, inPieces } from './harness/pieces-suite.ts';

it('pieces arrive apart', async () => {
  const TEXT = 'in nineteen pieces.';
  let pieces: string[] = [];
  const server = createServer((socket) => socket.on('data', (bytes) => pieces.push(bytes.toString('latin1'))));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  const client = await Client.open(bound !== null && typeof bound === 'object' ? bound.port : 0);
  const apart = async (): Promise<boolean> => {
    pieces = [];
    await client.send(TEXT, everyByte(TEXT));
    await until('all of it is there', () => pieces.join('').length >= TEXT.length);
    expect(pieces.join('')).toBe(TEXT);
    return pieces.length === TEXT.length;
  };
  try {
    // A busy kernel may join some once in a while.
    await until('all pieces arrive apart', apart, 5_000);
  } finally {
    client.close();
    await new Promise((resolve) => server.close(resolve));
  }
});

inPieces(half(0));
