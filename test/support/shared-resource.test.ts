import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { constant } from '../../src/simulate/service-time.ts';
import { shareResource } from './shared-resource.ts';

/** Asks for a turn. @returns when it was over, ms since the time origin */
function turn(address: string): Promise<number> {
  const [host, port] = address.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), host).on('error', reject);
    socket.on('close', () => resolve(performance.now())).resume();
  });
}

test.each([
  [1, 600],
  [3, 200],
])('with %i at once, six turns of 100 ms take %i ms at least', async (count, least) => {
  const resource = await shareResource(count, constant(100), () => 0);
  const began = performance.now();
  const ends = await Promise.all(Array.from({ length: 6 }, () => turn(resource.address)));
  resource.close();
  expect(Math.max(...ends) - began).toBeGreaterThanOrEqual(least - 5);
});
