import { describe, expect, test } from 'vitest';
import { at } from '../edge-harness.ts';
import { Origin, quiet, silent } from '../wire.ts';
import { sleeping } from './sessions.ts';

/** An edge with one replica of ours, and a session there. */
async function served() {
  const origin = await Origin.listen(silent);
  const edge = await sleeping();
  edge.state({ endpoints: [at(origin, { ours: true })] });
  const client = await edge.connect();
  const service = await origin.connection();
  return { origin, edge, client, service };
}

describe('when the last session with a replica of ours', () => {
  test('is ended by its client, nothing is doubted', async () => {
    const { edge, client, service } = await served();
    client.end();
    await service.untilOver();
    service.end();
    await edge.connections(0);
    await edge.report();
    expect(edge.all('suspect')).toEqual([]);
  });

  test.each(['end', 'reset'] as const)(
    'is ended by an unasked %s, no byte goes there before control has looked',
    async (how) => {
      const { origin, edge, client, service } = await served();
      if (how === 'end') service.end();
      else service.socket.resetAndDestroy();
      await client.untilOver();
      client.end();
      const suspect = await edge.message('suspect');
      expect(suspect.cause).toBe('closed');
      const next = await edge.connect();
      next.write('hello');
      await edge.held(1);
      edge.send({ type: 'trust', service: 'app', endpoint: suspect.endpoint, doubt: suspect.doubt });
      const connection = await origin.connection(1);
      const again = await edge.message('suspect', ({ cause }) => cause === 'unproven');
      await quiet();
      expect(connection.available).toBe(0);
      edge.send({ type: 'trust', service: 'app', endpoint: again.endpoint, doubt: again.doubt });
      expect((await connection.readExactly(5)).toString()).toBe('hello');
    },
  );

  test('and the replica is gone, the next one waits for another', async () => {
    const { edge, client, service } = await served();
    service.end();
    await client.untilOver();
    client.end();
    await edge.message('suspect');
    const next = await edge.connect();
    next.write('hello');
    await edge.held(1);
    edge.state({ endpoints: [] });
    const other = await Origin.listen(silent);
    edge.state({ endpoints: [at(other, { ours: true })] });
    expect((await (await other.connection()).readExactly(5)).toString()).toBe('hello');
  });
});
